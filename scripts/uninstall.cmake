# SPDX-License-Identifier: GPL-2.0-or-later
# cmake -P uninstall.cmake MANIFEST NAME - deletes the files that "cmake
# --install" listed in MANIFEST, below DESTDIR as it was then, and of their
# folders those that are called NAME or are below one, once they are empty.
set(manifest ${CMAKE_ARGV3})
set(name ${CMAKE_ARGV4})
if(NOT EXISTS ${manifest})
    message(FATAL_ERROR "${manifest} is missing: nothing was installed from here")
endif()

file(STRINGS ${manifest} files)
foreach(file ${files})
    message(STATUS "Deleting: $ENV{DESTDIR}${file}")
    file(REMOVE $ENV{DESTDIR}${file})
    cmake_path(GET file PARENT_PATH folder)
    while(folder MATCHES "/${name}(/|$)")
        list(APPEND folders ${folder})
        cmake_path(GET folder PARENT_PATH folder)
    endwhile()
endforeach()

# the inner ones first: a path sorts after that of its folder
list(REMOVE_DUPLICATES folders)
list(SORT folders ORDER DESCENDING)
foreach(folder ${folders})
    file(GLOB left $ENV{DESTDIR}${folder}/*)
    if(NOT left)
        file(REMOVE_RECURSE $ENV{DESTDIR}${folder})
    endif()
endforeach()
