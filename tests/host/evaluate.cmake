# enamel-evaluate: its figures on shapes with known answers, and the program itself.
add_library(host_shapes STATIC ${CMAKE_CURRENT_LIST_DIR}/shapes.c)
target_include_directories(host_shapes PUBLIC ${CMAKE_CURRENT_LIST_DIR})
target_link_libraries(host_shapes PUBLIC evaluate_parts unit_scratch PRIVATE enamel_build)

foreach(name evaluate evaluate_arch evaluate_repeats evaluate_surface evaluate_marks evaluate_drift evaluate_tracking)
	add_executable(host_${name} ${CMAKE_CURRENT_LIST_DIR}/test_${name}.c)
	target_compile_definitions(host_${name} PRIVATE EVALUATE_PROGRAM="$<TARGET_FILE:enamel-evaluate>"
		SIMULATE_PROGRAM="$<TARGET_FILE:enamel-simulate>"
		SHARED_DATA="${CMAKE_SOURCE_DIR}/../shared/data")
	target_link_libraries(host_${name} PRIVATE host_shapes enamel_build m)
	add_dependencies(host_${name} enamel-evaluate enamel-simulate)
	add_test(NAME host_${name} COMMAND host_${name})
	set_tests_properties(host_${name} PROPERTIES TIMEOUT 300 COST 800) # see kernel_gpu
endforeach()
# Dozens of alignments: 40 s of CPU time.
set_tests_properties(host_evaluate_repeats PROPERTIES LABELS slow TIMEOUT 900)
add_test(NAME host_evaluate_cast COMMAND host_evaluate)
set_tests_properties(host_evaluate_cast PROPERTIES LABELS slow TIMEOUT 600 ENVIRONMENT ENAMEL_TEST_SLOW=1)
