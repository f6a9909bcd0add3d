# SPDX-License-Identifier: GPL-2.0-or-later
# embed.cmake - page.html with its style and script in it, as a C array
#     cmake -D PAGE=FOLDER -D OUT=page.h -P embed.cmake

# The name by which a Content-Security-Policy knows a style or script: of its
# SHA-256, three hexadecimal digits are two of base64.
# Source: W3C, Content Security Policy Level 3, section 2.3.1 (hash-source).
function(csp_hash text ret)
    set(digits
        ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/)
    string(SHA256 hash "${text}")
    set(base64 "")
    foreach(at RANGE 0 63 3)
        string(SUBSTRING "${hash}00" ${at} 3 three)
        math(EXPR high "0x${three} >> 6")
        math(EXPR low "0x${three} & 63")
        string(SUBSTRING ${digits} ${high} 1 high)
        string(SUBSTRING ${digits} ${low} 1 low)
        string(APPEND base64 ${high}${low})
    endforeach()
    # 256 bits are 43 digits
    string(SUBSTRING ${base64} 0 43 base64)
    set(${ret} "sha256-${base64}=" PARENT_SCOPE)
endfunction()

file(READ ${PAGE}/page.html page)
foreach(part style script)
    set(file ${PAGE}/page.css)
    if(part STREQUAL script)
        set(file ${PAGE}/page.js)
    endif()
    file(READ ${file} text)
    if(text MATCHES "{{|</|<!--")
        message(FATAL_ERROR "${file} would end, or be taken for a mark")
    endif()
    csp_hash("${text}" hash)
    string(REPLACE "@${part}@" "${text}" page "${page}")
    string(REPLACE "@${part}_hash@" "${hash}" page "${page}")
endforeach()

file(WRITE ${OUT}.html "${page}")
file(READ ${OUT}.html bytes HEX)
file(REMOVE ${OUT}.html)
string(REGEX REPLACE "(................................)" "\\1\n" bytes
    "${bytes}")
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
file(WRITE ${OUT} "/* made of src/batch/page/ by embed.cmake */
static const char page_html[] = {
${bytes} 0};
")
