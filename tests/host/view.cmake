# `enamel replay --view` on a display of Xvfb's, drawn by Mesa's software OpenGL.
if(NOT ENAMEL_VIEWER)
	return()
endif()
find_program(XVFB_RUN xvfb-run)

add_executable(host_view ${CMAKE_CURRENT_LIST_DIR}/test_view.c)
target_compile_definitions(host_view PRIVATE ENAMEL_PROGRAM="$<TARGET_FILE:enamel-process>")
target_link_libraries(host_view PRIVATE host_scan enamel_build m)
add_dependencies(host_view enamel-process)
if(XVFB_RUN)
	add_test(NAME host_view COMMAND ${XVFB_RUN} -a -s "-screen 0 1280x1024x24 -noreset" $<TARGET_FILE:host_view>)
else()
	add_test(NAME host_view COMMAND ${CMAKE_COMMAND} -E echo "skipped: xvfb-run is not installed")
endif()
set_tests_properties(host_view PROPERTIES TIMEOUT 120 RESOURCE_LOCK xvfb SKIP_REGULAR_EXPRESSION "^skipped:"
	ENVIRONMENT "${ENAMEL_TEST_ENVIRONMENT};LIBGL_ALWAYS_SOFTWARE=1")
