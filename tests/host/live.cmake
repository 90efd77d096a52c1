# Live scans: the scheduler's parts, and `enamel live`, `resume` and `refine` from end to end.
add_library(host_live_run STATIC ${CMAKE_CURRENT_LIST_DIR}/live_run.c)
target_link_libraries(host_live_run PUBLIC host_scan host_process PRIVATE enamel_build)

foreach(name live_parts live live_session)
	add_executable(host_${name} ${CMAKE_CURRENT_LIST_DIR}/test_${name}.c)
	target_compile_definitions(host_${name} PRIVATE ENAMEL_PROGRAM="$<TARGET_FILE:enamel-process>")
	target_link_libraries(host_${name} PRIVATE host_live_run enamel_build m)
	add_dependencies(host_${name} enamel-process)
	add_test(NAME host_${name} COMMAND host_${name})
	set_tests_properties(host_${name} PROPERTIES TIMEOUT 600 ENVIRONMENT "${ENAMEL_TEST_ENVIRONMENT}")
endforeach()
add_dependencies(host_live enamel-simulate)
add_test(NAME host_live_killed_often COMMAND host_live_session)
set_tests_properties(host_live_killed_often PROPERTIES LABELS slow TIMEOUT 6000 ENVIRONMENT
	"${ENAMEL_TEST_ENVIRONMENT};ENAMEL_TEST_SLOW=1")

# With a window, as host_view.
find_program(XVFB_RUN xvfb-run)
if(ENAMEL_VIEWER AND XVFB_RUN AND NOT ENAMEL_SANITIZE) # host_view has what drivers want there
	add_executable(host_live_view ${CMAKE_CURRENT_LIST_DIR}/test_live_view.c)
	target_compile_definitions(host_live_view PRIVATE ENAMEL_PROGRAM="$<TARGET_FILE:enamel-process>")
	target_link_libraries(host_live_view PRIVATE host_live_run enamel_build)
	add_dependencies(host_live_view enamel-process)
	add_test(NAME host_live_view COMMAND ${XVFB_RUN} -a -s "-screen 0 1280x1024x24 -noreset" $<TARGET_FILE:host_live_view>)
	set_tests_properties(host_live_view PROPERTIES TIMEOUT 120 RESOURCE_LOCK xvfb ENVIRONMENT
		"${ENAMEL_TEST_ENVIRONMENT};LIBGL_ALWAYS_SOFTWARE=1")
endif()
