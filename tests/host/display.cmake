# Displays that belong to a test: they go away, or are not what the viewer wants.
find_program(XVFB Xvfb)
find_package(X11)
if(NOT ENAMEL_VIEWER OR NOT XVFB OR NOT X11_FOUND OR ENAMEL_SANITIZE) # host_view has what drivers want there
	return()
endif()
add_library(host_screen STATIC ${CMAKE_CURRENT_LIST_DIR}/screen.c)
target_compile_definitions(host_screen PRIVATE XVFB="${XVFB}")
target_include_directories(host_screen PUBLIC ${CMAKE_CURRENT_LIST_DIR})
target_link_libraries(host_screen PUBLIC PkgConfig::CMOCKA PRIVATE unit_scratch enamel_build X11::X11)

foreach(name display window)
	add_executable(host_${name} ${CMAKE_CURRENT_LIST_DIR}/test_${name}.c)
	target_compile_definitions(host_${name} PRIVATE ENAMEL_PROGRAM="$<TARGET_FILE:enamel-process>")
	target_link_libraries(host_${name} PRIVATE host_live_run host_likeness host_screen enamel_build m)
	add_dependencies(host_${name} enamel-process)
	add_test(NAME host_${name} COMMAND host_${name})
	set_tests_properties(host_${name} PROPERTIES TIMEOUT 600 RESOURCE_LOCK xvfb ENVIRONMENT
		"${ENAMEL_TEST_ENVIRONMENT};LIBGL_ALWAYS_SOFTWARE=1")
endforeach()
