# The list of tests, one line each.
v2v_unit_test(base v2v::base)
v2v_unit_test(media v2v::media v2v::base)
v2v_unit_test(catalog v2v::catalog v2v::base)
v2v_fuzz_target(catalog v2v::catalog v2v::base)
v2v_unit_test(drivers v2v::drivers v2v::media v2v::base)
v2v_unit_test(reg v2v::registry)
v2v_unit_test(sddl v2v::plan)
v2v_unit_test(disk v2v::disk)
v2v_unit_test(disk-ntfs v2v::disk)
v2v_unit_test(disk-real v2v::disk)
set_tests_properties(unit.disk-real PROPERTIES SKIP_RETURN_CODE 77)
v2v_unit_test(sd v2v::disk)
v2v_fuzz_target(disk v2v::disk)
v2v_fuzz_target(sd v2v::disk)
v2v_unit_test(inf-lex v2v::inf-parser v2v::base)
v2v_unit_test(inf-models v2v::inf-parser v2v::base)
v2v_unit_test(inf-install v2v::inf-parser v2v::base)
v2v_unit_test(inf-limits v2v::inf-parser v2v::base)
v2v_fuzz_target(inf v2v::inf-parser v2v::base)
add_test(NAME cli.inf-corpus COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/cli/inf-corpus.sh $<TARGET_FILE:inf-dump>)
set_tests_properties(cli.inf-corpus PROPERTIES SKIP_RETURN_CODE 77)

# v2v_script_test(NAME COMMAND...): exit status 77 is a skip with its reason
function(v2v_script_test name)
    add_test(NAME ${name} COMMAND ${ARGN})
    set_tests_properties(${name} PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 300)
endfunction()

set(golden ${CMAKE_CURRENT_SOURCE_DIR}/golden)
set(work ${CMAKE_CURRENT_BINARY_DIR}/work)
v2v_script_test(golden.plans ${golden}/plans.sh $<TARGET_FILE:plan-tool>
    ${work}/plans)
v2v_script_test(golden.against-windows ${golden}/against-windows.py
    $<TARGET_FILE:plan-tool> ${PROJECT_SOURCE_DIR}/fixtures/mkhive
    ${work}/against-windows)
v2v_script_test(golden.only-planned ${golden}/only-planned.sh
    $<TARGET_FILE:plan-tool> ${work}/only-planned)
v2v_script_test(cli.options-documented
    ${CMAKE_CURRENT_SOURCE_DIR}/cli/options-documented.sh
    $<TARGET_FILE:v2v-virtio> ${PROJECT_SOURCE_DIR}/man/v2v-virtio.pod)
v2v_script_test(cli.refusals ${CMAKE_CURRENT_SOURCE_DIR}/cli/refusals.sh
    $<TARGET_FILE:v2v-virtio>)
v2v_unit_test(image v2v::image)
v2v_unit_test(guest v2v::guest)
add_subdirectory(guest-tool)
v2v_unit_test(domain v2v::domain v2v::base)
v2v_fuzz_target(domain v2v::domain v2v::base)
add_executable(domain-rewrite tools/domain-rewrite.c)
target_link_libraries(domain-rewrite PRIVATE v2v::domain v2v::base v2v::flags)
add_test(NAME cli.domain-corpus COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/cli/domain-corpus.sh $<TARGET_FILE:domain-rewrite>)
set_tests_properties(cli.domain-corpus PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 600)
