# Gaps that are told while scanning.
find_package(Threads REQUIRED)
add_executable(host_scan_gaps ${CMAKE_CURRENT_LIST_DIR}/test_scan_gaps.c)
target_include_directories(host_scan_gaps PRIVATE ${CMAKE_SOURCE_DIR}/tests/unit)
target_link_libraries(host_scan_gaps PRIVATE host_process PkgConfig::CMOCKA Threads::Threads enamel_build m)
add_test(NAME host_scan_gaps COMMAND host_scan_gaps)
set_tests_properties(host_scan_gaps PROPERTIES TIMEOUT 300 ENVIRONMENT "${ENAMEL_TEST_ENVIRONMENT}")
