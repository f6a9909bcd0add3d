# SPDX-License-Identifier: GPL-2.0-or-later
# The list of tests, by folder.
set(top ${PROJECT_SOURCE_DIR})
set(here ${CMAKE_CURRENT_SOURCE_DIR})
set(work ${CMAKE_CURRENT_BINARY_DIR}/work)

v2v_unit_test(base v2v::base)

v2v_unit_test(disk v2v::disk)
v2v_unit_test(disk-ntfs v2v::disk)
v2v_unit_test(disk-bitlocker v2v::disk)
v2v_unit_test(disk-mft v2v::disk)
v2v_unit_test(disk-real v2v::disk)
v2v_unit_test(disk-place v2v::disk)
v2v_unit_test(sd v2v::disk)
v2v_fuzz_target(disk v2v::disk)
v2v_fuzz_target(sd v2v::disk)
v2v_unit_test(fat v2v::disk)
v2v_fuzz_target(fat v2v::disk)

v2v_unit_test(inf-lex v2v::inf-parser)
v2v_unit_test(inf-models v2v::inf-parser)
v2v_unit_test(inf-install v2v::inf-parser)
v2v_unit_test(inf-limits v2v::inf-parser)
v2v_fuzz_target(inf v2v::inf-parser)
v2v_script_test(cli.inf-corpus ${here}/cli/inf-corpus.sh
    $<TARGET_FILE:inf-dump>)

v2v_unit_test(reg v2v::registry)
v2v_unit_test(check v2v::registry)
v2v_unit_test(log v2v::registry)
v2v_unit_test(log-real v2v::registry)
set_tests_properties(unit.log-real PROPERTIES TIMEOUT 600)
v2v_fuzz_target(log v2v::registry)
v2v_fuzz_target(hive v2v::registry)
v2v_script_test(registry.random-edits ${here}/registry/random-edits.py
    $<TARGET_FILE:hive-tool> ${work}/random-edits)
v2v_unit_test(media v2v::media)
v2v_fuzz_target(media v2v::media)
v2v_unit_test(catalog v2v::catalog)
v2v_fuzz_target(catalog v2v::catalog)
v2v_unit_test(catalog-judge v2v::catalog)
v2v_unit_test(catalog-real v2v::catalog v2v::media)
v2v_unit_test(pe v2v::catalog)
v2v_fuzz_target(pe v2v::catalog)

v2v_unit_test(manifest v2v::batch)
v2v_fuzz_target(manifest v2v::batch)
v2v_unit_test(ledger v2v::batch)
v2v_unit_test(pool v2v::batch)
v2v_unit_test(slurm v2v::batch)
v2v_unit_test(report v2v::batch v2v::check)

v2v_unit_test(domain v2v::domain)
v2v_unit_test(domain-add v2v::domain)
v2v_unit_test(domain-insert v2v::domain)
v2v_unit_test(domain-machine v2v::domain)
v2v_unit_test(domain-scsi v2v::domain)
v2v_unit_test(domain-osinfo v2v::domain)
v2v_unit_test(domain-new v2v::domain)
v2v_unit_test(domain-rules v2v::domain)
v2v_unit_test(domain-source v2v::domain)
v2v_fuzz_target(domain v2v::domain)
if(V2V_SANITIZE)
    set(unjudged --rewrite-only)
endif()
v2v_script_test(cli.domain-corpus ${here}/cli/domain-corpus.sh
    $<TARGET_FILE:domain-rewrite> ${unjudged})
set_tests_properties(cli.domain-corpus PROPERTIES TIMEOUT 1200)

v2v_unit_test(sandbox v2v::sandbox)
v2v_unit_test(child v2v::image)
v2v_unit_test(image v2v::image)
v2v_unit_test(image-read v2v::image)
v2v_unit_test(transaction v2v::image)
v2v_unit_test(rewind v2v::image)
v2v_unit_test(formats v2v::image)
v2v_fuzz_target(vmdk v2v::image)
v2v_unit_test(nbd v2v::image)
if(V2V_DIRECT)
    v2v_unit_test(ntfs v2v::ntfs)
    add_dependencies(test-ntfs ntfs-fill)
    set_tests_properties(unit.ntfs PROPERTIES TIMEOUT 600)
    v2v_unit_test(ntfs-odd v2v::ntfs)
    add_dependencies(test-ntfs-odd ntfs-fill)
    v2v_unit_test(ntfs-broken v2v::ntfs)
    add_dependencies(test-ntfs-broken ntfs-fill)
    v2v_script_test(ntfs.mutations ${here}/ntfs/mutations.sh
        $<TARGET_FILE:ntfs-mutate> $<TARGET_FILE:ntfs-fill>
        ${work}/ntfs-mutations)
    set_tests_properties(unit.ntfs ntfs.mutations PROPERTIES LABELS long)
endif()
v2v_unit_test(guest v2v::guest)
if(V2V_DIRECT)
    v2v_unit_test(direct v2v::guest v2v::image)
    v2v_fuzz_target(rpc v2v::guest)
endif()
v2v_unit_test(tree-guest tree-guest)
v2v_unit_test(hives-sandbox v2v::hives v2v::sandbox)
v2v_unit_test(hives-lies v2v::hives v2v::sandbox)
v2v_unit_test(bcd v2v::facts)
v2v_unit_test(find v2v::facts tree-guest)
v2v_unit_test(drivers v2v::drivers)
v2v_unit_test(drivers-catalogue v2v::drivers)
v2v_script_test(golden.drivers ${here}/golden/drivers.sh
    $<TARGET_FILE:drivers-table> ${work}/drivers)

v2v_unit_test(check-run v2v::check tree-guest)
v2v_unit_test(check-image v2v::check tree-guest)
v2v_unit_test(check-disk v2v::check tree-guest)
v2v_unit_test(check-windows v2v::check tree-guest)
v2v_unit_test(check-policy v2v::check tree-guest)
v2v_unit_test(check-hypervisor v2v::check tree-guest)
v2v_unit_test(check-virtio v2v::check v2v::plan tree-guest)
v2v_unit_test(check-network v2v::check tree-guest)
v2v_unit_test(check-real v2v::check tree-guest)

v2v_unit_test(verify-boot v2v::verify tree-guest)
v2v_unit_test(verify-chain v2v::verify tree-guest)
v2v_unit_test(verify-service v2v::verify tree-guest)
v2v_unit_test(verify-device v2v::verify tree-guest)
add_dependencies(test-verify-device tree-tool)
v2v_unit_test(verify-pe v2v::verify v2v::media)
v2v_fuzz_target(imports v2v::verify)

v2v_unit_test(keys v2v::check v2v::domain v2v::facts v2v::guest v2v::image)
foreach(source keys near option-table option-values option-words)
    target_sources(test-keys PRIVATE ${top}/src/cli/${source}.c)
endforeach()
v2v_unit_test(sddl v2v::plan)
v2v_unit_test(plan v2v::plan)
v2v_script_test(golden.plans ${here}/golden/plans.sh
    $<TARGET_FILE:plan-tool> ${work}/plans)
v2v_script_test(golden.against-windows ${here}/golden/against-windows.py
    $<TARGET_FILE:plan-tool> ${top}/fixtures/mkhive ${work}/against-windows)
v2v_script_test(doc.diagrams ${top}/doc/diagrams.py --check)
v2v_script_test(golden.documented ${here}/golden/documented.py ${top})
v2v_script_test(golden.only-planned ${here}/golden/only-planned.sh
    $<TARGET_FILE:plan-tool> ${work}/only-planned fixtures)
v2v_script_test(golden.only-planned-real ${here}/golden/only-planned.sh
    $<TARGET_FILE:plan-tool> ${work}/only-planned-real real)

# with the sanitizers, which are slow, on one guest
if(V2V_SANITIZE)
    set(one_guest win11)
endif()
v2v_script_test(verify.mutations ${here}/verify/mutations.py
    $<TARGET_FILE:tree-tool> ${top}/fixtures ${work}/mutations ${one_guest})
v2v_script_test(tree.inject ${here}/tree/inject.sh $<TARGET_FILE:tree-tool>
    ${work}/tree-inject fixtures)
v2v_script_test(tree.inject-real ${here}/tree/inject.sh
    $<TARGET_FILE:tree-tool> ${work}/tree-inject-real real)

# What the program prints for machines is copied as the tests run it, and
# validated when the last of them has ended.
set(documents ${CMAKE_CURRENT_BINARY_DIR}/documents)
set(v2v ${CMAKE_CURRENT_BINARY_DIR}/v2v-virtio)
v2v_wrapper(${v2v} ${documents})
add_test(NAME contract.begin COMMAND sh -c
    "rm -rf '${documents}' && mkdir -m 1777 '${documents}'")
set_tests_properties(contract.begin PROPERTIES FIXTURES_SETUP documents)
v2v_script_test(contract.documents ${here}/contract/validate.py ${documents})
set_tests_properties(contract.documents PROPERTIES FIXTURES_CLEANUP documents)
v2v_script_test(contract.schemas ${here}/contract/schemas.py ${v2v}
    ${top}/fixtures)
v2v_script_test(contract.events ${here}/contract/events.py ${v2v}
    $<TARGET_FILE:v2v-virtio> ${top}/fixtures)
v2v_script_test(contract.terminal ${here}/contract/terminal.py
    $<TARGET_FILE:v2v-virtio> $<TARGET_FILE:transaction-tool>)
v2v_script_test(contract.codes ${here}/contract/codes.py ${top})

v2v_script_test(cli.options-documented ${here}/cli/options-documented.sh
    ${v2v} ${top}/man)
v2v_script_test(cli.warnings-documented ${here}/cli/warnings-documented.sh
    ${top}/src ${top}/man/v2v-virtio-report.pod)
v2v_script_test(cli.files-documented ${here}/cli/files-documented.sh ${top})
v2v_script_test(cli.codes-documented ${here}/cli/codes-documented.sh ${top})
if(V2V_DIRECT) # an appliance for each example would take too long
    v2v_script_test(cli.examples ${here}/cli/examples.py
        ${v2v})
    set_tests_properties(cli.examples PROPERTIES LABELS long TIMEOUT 600)
endif()
v2v_script_test(cli.damaged ${here}/cli/damaged.sh ${v2v})
v2v_script_test(cli.refusals ${here}/cli/refusals.sh
    ${v2v})
v2v_script_test(cli.completion ${here}/cli/completion.sh ${v2v}
    ${top}/completion/v2v-virtio)
# its standard output is what is tested: no wrapper's
v2v_script_test(cli.environment ${here}/cli/environment.sh
    $<TARGET_FILE:v2v-virtio>)
v2v_script_test(cli.batch ${here}/cli/batch.sh ${v2v})
v2v_script_test(cli.key ${here}/cli/key.sh ${v2v})
v2v_script_test(cli.statuses ${here}/cli/statuses.sh ${v2v})
v2v_script_test(cli.xml ${here}/cli/xml.sh ${v2v})
v2v_script_test(cli.undo ${here}/cli/undo.sh ${v2v}
    $<TARGET_FILE:transaction-tool>)

# With the sanitizers fewer items: of thousands it takes long and much memory.
if(V2V_DIRECT)
    if(V2V_SANITIZE)
        set(small --small)
    endif()
    v2v_script_test(batch.report ${here}/batch/report.py
        $<TARGET_FILE:v2v-virtio> ${work}/batch-report ${small})
    v2v_script_test(batch.page ${here}/batch/page.py
        $<TARGET_FILE:v2v-virtio> ${work}/batch-page ${small})
    set_tests_properties(batch.report batch.page PROPERTIES LABELS long
        TIMEOUT 1200)
endif()

v2v_script_test(bench.measure ${here}/bench/measure-test.py)
v2v_script_test(bench.scale ${here}/bench/scale-test.py)

# With two builds, of one compiler each, enough has been seen of these: the
# third (ci-clang) is there for the other compiler.
set_tests_properties(registry.random-edits cli.domain-corpus unit.rewind
    unit.disk-place unit.find unit.check-run unit.check-disk unit.check-windows
    unit.verify-chain unit.verify-device verify.mutations tree.inject
    tree.inject-real cli.environment cli.statuses PROPERTIES LABELS long)

# Of texts, tools and pages: how the program was built changes nothing in them.
set(texts doc.diagrams golden.documented contract.schemas contract.codes
    cli.options-documented cli.warnings-documented cli.files-documented
    cli.codes-documented bench.measure bench.scale)
if(V2V_DIRECT)
    list(APPEND texts batch.page)
endif()
set_property(TEST ${texts} APPEND PROPERTY LABELS text)

# Every test that runs the program.
get_property(all DIRECTORY PROPERTY TESTS)
foreach(test IN LISTS all)
    if(test MATCHES "^(cli|contract)[.]" AND
       NOT test MATCHES "^contract[.](begin|documents)$")
        set_tests_properties(${test} PROPERTIES FIXTURES_REQUIRED documents)
    endif()
endforeach()
v2v_script_test(package.version ${here}/package/version.sh
    $<TARGET_FILE:v2v-virtio> ${PROJECT_BINARY_DIR}/man)
