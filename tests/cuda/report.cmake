# What nvcc makes of the kernels, without a device: registers, shared memory and spills
# (tools/ptxas_table.py), instructions by pipe (tools/sass_counts.py). The tests write both tables
# to cuda_report/ in the build folder.

set(FURROW_CUDA_REPORT_ARCHITECTURES 75 80 86 89 90 100 120 CACHE STRING
    "Compute capabilities that the tables of the kernels are made for")
set(folder ${PROJECT_BINARY_DIR}/cuda_report)
file(MAKE_DIRECTORY ${folder})

set(logs)
set(cubins)
foreach(source IN LISTS FURROW_CUDA_SOURCES ITEMS ${CMAKE_CURRENT_SOURCE_DIR}/compression_probe.cu)
  if(source MATCHES "/cuda/runtime/")
    continue()  # no kernels
  endif()
  get_filename_component(name ${source} NAME_WE)
  foreach(architecture IN LISTS FURROW_CUDA_REPORT_ARCHITECTURES)
    set(base ${folder}/${name}.sm_${architecture})
    add_custom_command(
      OUTPUT ${base}.cubin ${base}.log
      COMMAND ${CMAKE_COMMAND} -DNVCC=${CMAKE_CUDA_COMPILER} -DSOURCE=${source} -DBASE=${base}
              -DARCHITECTURE=${architecture} -DROOT=${PROJECT_SOURCE_DIR}
              -P ${CMAKE_CURRENT_SOURCE_DIR}/compile_for_report.cmake
      DEPENDS ${source} ${CMAKE_CURRENT_SOURCE_DIR}/compile_for_report.cmake
      DEPFILE ${base}.d
      COMMENT "Compiling ${name} for the report on sm_${architecture}"
      VERBATIM)
    list(APPEND logs ${base}.log)
    list(APPEND cubins ${base}.cubin)
  endforeach()
endforeach()
add_custom_target(furrow_cuda_report ALL DEPENDS ${logs} ${cubins})

string(REPLACE ";" "," architectures "${FURROW_CUDA_REPORT_ARCHITECTURES}")
function(furrow_report_test name)
  add_test(NAME cuda.${name} COMMAND ${Python3_EXECUTABLE} -B ${ARGN})
  set_tests_properties(cuda.${name} PROPERTIES LABELS cuda)
endfunction()
furrow_report_test(ptxas_table ${PROJECT_SOURCE_DIR}/tools/ptxas_table.py
  --architectures ${architectures} --out ${folder}/ptxas.md ${logs})
furrow_report_test(sass_counts ${PROJECT_SOURCE_DIR}/tools/sass_counts.py
  --loops --out ${folder}/sass.md --json ${folder}/sass.json ${cubins})
furrow_report_test(sass_counts_self_test ${CMAKE_CURRENT_SOURCE_DIR}/sass_counts_test.py
  --nvcc ${CMAKE_CUDA_COMPILER} --tools ${PROJECT_SOURCE_DIR}/tools
  --architectures ${architectures})
