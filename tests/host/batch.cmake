# The list of a batch, and the batch from end to end.
add_executable(host_manifest ${CMAKE_CURRENT_LIST_DIR}/test_manifest.c)
target_link_libraries(host_manifest PRIVATE unit_scratch host_process enamel_build)
add_test(NAME host_manifest COMMAND host_manifest)
set_tests_properties(host_manifest PROPERTIES TIMEOUT 30)

add_executable(host_batch ${CMAKE_CURRENT_LIST_DIR}/test_batch.c)
target_compile_definitions(host_batch PRIVATE ENAMEL_PROGRAM="$<TARGET_FILE:enamel-process>")
target_link_libraries(host_batch PRIVATE host_scan host_process enamel_build)
add_dependencies(host_batch enamel-process)
add_test(NAME host_batch COMMAND host_batch)
set_tests_properties(host_batch PROPERTIES TIMEOUT 300 ENVIRONMENT "${ENAMEL_TEST_ENVIRONMENT}")
add_test(NAME host_batch_of_200 COMMAND host_batch)
set_tests_properties(host_batch_of_200 PROPERTIES LABELS slow TIMEOUT 3000 ENVIRONMENT
	"${ENAMEL_TEST_ENVIRONMENT};ENAMEL_TEST_SLOW=1")
