# SPDX-License-Identifier: Apache-2.0
# What nvcc makes of the kernels, without a device: registers, shared memory and spills
# (tools/kernel_table.py), instructions by pipe (tools/sass_counts.py). Both read the objects that go into
# the program, and the tests write both tables to cuda_report/ in the build folder.

set(folder ${PROJECT_BINARY_DIR}/cuda_report)
file(MAKE_DIRECTORY ${folder})

set(objects $<TARGET_OBJECTS:furrow_cuda_kernels>)

# 75-real is one of them, 75-virtual is not, and 120 is both.
set(architectures ${CMAKE_CUDA_ARCHITECTURES})
list(FILTER architectures EXCLUDE REGEX "virtual|native|all")
list(TRANSFORM architectures REPLACE "[^0-9].*" "")
string(REPLACE ";" "," architectures "${architectures}")

function(furrow_report_test name)
  add_test(NAME cuda.${name} COMMAND ${Python3_EXECUTABLE} -B ${ARGN} COMMAND_EXPAND_LISTS)
  set_tests_properties(cuda.${name} PROPERTIES LABELS cuda)
endfunction()
furrow_report_test(kernel_table ${PROJECT_SOURCE_DIR}/tools/kernel_table.py
  --architectures=${architectures} --out ${folder}/kernels.md ${objects})
furrow_report_test(sass_counts ${PROJECT_SOURCE_DIR}/tools/sass_counts.py
  --loops --out ${folder}/sass.md --json ${folder}/sass.json ${objects})
furrow_report_test(cubin_self_test ${CMAKE_CURRENT_SOURCE_DIR}/cubin_test.py
  --nvcc ${CMAKE_CUDA_COMPILER} --tools ${PROJECT_SOURCE_DIR}/tools)
furrow_report_test(sass_counts_self_test ${CMAKE_CURRENT_SOURCE_DIR}/sass_counts_test.py
  --nvcc ${CMAKE_CUDA_COMPILER} --tools ${PROJECT_SOURCE_DIR}/tools
  --architectures=75,80,86,89,90,100,120)
furrow_report_test(model_self_test ${CMAKE_CURRENT_SOURCE_DIR}/model_test.py
  --bench ${PROJECT_SOURCE_DIR}/bench)
