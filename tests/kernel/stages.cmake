# A test a stage: kernel_<stage> on the default device, oclgrind_<stage> and rusticl_<stage> elsewhere. Those of the
# stages in SLOW take long there and are left to the slow runs.
set(FOLDER ${CMAKE_CURRENT_LIST_DIR})
set(STAGES depth refine residuals solve track course color gate alone keyframe relocate island join allocate fuse view surface live draw)
set(SLOW_OCLGRIND depth keyframe join draw alone refine color foreign foreign_model residuals solve track course relocate island allocate fuse view surface live)
set(SLOW_RUSTICL foreign foreign_model track course island solve fuse color refine)
if(ENAMEL_FOREIGN)
	list(APPEND STAGES foreign foreign_model)
endif()

add_library(kernel_support STATIC ${FOLDER}/support.c ${FOLDER}/track_rig.c $<$<BOOL:${ENAMEL_FOREIGN}>:${FOLDER}/foreign_rig.c>)
target_include_directories(kernel_support PUBLIC ${FOLDER})
target_link_libraries(kernel_support PUBLIC enamel_internal test_reference PkgConfig::CMOCKA PRIVATE enamel_build)

find_program(OCLGRIND oclgrind)
set(RUSTICL_ICD /etc/OpenCL/vendors/rusticl.icd)
foreach(stage ${STAGES})
	add_executable(test_${stage} ${FOLDER}/test_${stage}.c)
	target_link_libraries(test_${stage} PRIVATE kernel_support enamel_build)
	add_test(NAME kernel_${stage} COMMAND test_${stage})
	set_tests_properties(kernel_${stage} PROPERTIES LABELS kernel TIMEOUT 300 ENVIRONMENT "${ENAMEL_TEST_ENVIRONMENT}")

	# the sanitizers know one driver's leaks by name, and Oclgrind's and Mesa's are not among them
	if(ENAMEL_SANITIZE)
		continue()
	endif()
	if(EXISTS ${RUSTICL_ICD})
		add_test(NAME rusticl_${stage} COMMAND test_${stage})
		set(labels rusticl)
		if(stage IN_LIST SLOW_RUSTICL)
			list(APPEND labels slow)
		endif()
		set_tests_properties(rusticl_${stage} PROPERTIES LABELS "${labels}" TIMEOUT 300 ENVIRONMENT
			"${ENAMEL_TEST_ENVIRONMENT};RUSTICL_ENABLE=llvmpipe;ENAMEL_TEST_DEVICE=llvmpipe;ENAMEL_TEST_SMALL=1")
	endif()

	if(OCLGRIND)
		add_test(NAME oclgrind_${stage} COMMAND ${FOLDER}/oclgrind.sh $<TARGET_FILE:test_${stage}>)
		set(labels oclgrind)
		set(timeout_s 300)
		if(stage IN_LIST SLOW_OCLGRIND)
			list(APPEND labels slow)
			set(timeout_s 1200) # minutes of CPU, and more where other work goes on
		endif()
		set_tests_properties(oclgrind_${stage} PROPERTIES LABELS "${labels}" TIMEOUT ${timeout_s})
	endif()
endforeach()
