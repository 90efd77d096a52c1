# A test a stage: kernel_<stage> on the default device, oclgrind_<stage> and rusticl_<stage> elsewhere. Those of the
# stages in SLOW take long there and are left to the slow runs.
set(FOLDER ${CMAKE_CURRENT_LIST_DIR})
set(STAGES depth track gate keyframe relocate allocate fuse view surface live)
set(SLOW_OCLGRIND track relocate allocate fuse view surface live)
set(SLOW_RUSTICL)

add_library(kernel_support STATIC ${FOLDER}/support.c)
target_include_directories(kernel_support PUBLIC ${FOLDER})
target_link_libraries(kernel_support PUBLIC enamel_internal test_reference PkgConfig::CMOCKA PRIVATE enamel_build)

find_program(OCLGRIND oclgrind)
set(RUSTICL_ICD /etc/OpenCL/vendors/rusticl.icd)
foreach(stage ${STAGES})
	add_executable(test_${stage} ${FOLDER}/test_${stage}.c)
	target_link_libraries(test_${stage} PRIVATE kernel_support enamel_build)
	add_test(NAME kernel_${stage} COMMAND test_${stage})
	set_tests_properties(kernel_${stage} PROPERTIES LABELS kernel TIMEOUT 120 ENVIRONMENT "${ENAMEL_TEST_ENVIRONMENT}")

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
		if(stage IN_LIST SLOW_OCLGRIND)
			list(APPEND labels slow)
		endif()
		set_tests_properties(oclgrind_${stage} PROPERTIES LABELS "${labels}" TIMEOUT 300)
	endif()
endforeach()
