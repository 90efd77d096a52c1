# The process `enamel`: its parts, its usage, and replay from end to end.
add_library(host_scan STATIC ${CMAKE_CURRENT_LIST_DIR}/process.c ${CMAKE_CURRENT_LIST_DIR}/scan.c)
target_include_directories(host_scan PUBLIC ${CMAKE_CURRENT_LIST_DIR})
target_link_libraries(host_scan PUBLIC unit_scratch host_common PRIVATE enamel_build m)

foreach(name parts cli render replay recordings recordings_kill)
	add_executable(host_${name} ${CMAKE_CURRENT_LIST_DIR}/test_${name}.c)
	target_compile_definitions(host_${name} PRIVATE ENAMEL_PROGRAM="$<TARGET_FILE:enamel-process>"
		SHARED_DATA="${CMAKE_SOURCE_DIR}/../shared/data")
	target_link_libraries(host_${name} PRIVATE host_scan host_process enamel_build m)
	add_dependencies(host_${name} enamel-process)
	add_test(NAME host_${name} COMMAND host_${name})
	set_tests_properties(host_${name} PROPERTIES TIMEOUT 300 ENVIRONMENT "${ENAMEL_TEST_ENVIRONMENT}")
endforeach()
add_dependencies(host_render enamel-evaluate)
set_tests_properties(host_recordings host_recordings_kill PROPERTIES TIMEOUT 300)
add_test(NAME host_recordings_kill_often COMMAND host_recordings_kill)
set_tests_properties(host_recordings_kill_often PROPERTIES LABELS slow TIMEOUT 3000 ENVIRONMENT
	"${ENAMEL_TEST_ENVIRONMENT};ENAMEL_TEST_SLOW=1")
