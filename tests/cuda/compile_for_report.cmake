# Compiles SOURCE for one ARCHITECTURE to BASE.cubin with the options of a release build, and keeps
# what ptxas says about its kernels in BASE.log. For report.cmake.
execute_process(
  COMMAND ${NVCC} -std=c++20 -O3 -DNDEBUG -cubin -arch=sm_${ARCHITECTURE} -Xptxas -v
          -I${ROOT} -I${ROOT}/include -MD -MF ${BASE}.d -MT ${BASE}.cubin -o ${BASE}.cubin ${SOURCE}
  ERROR_FILE ${BASE}.log
  RESULT_VARIABLE result)
if(NOT result EQUAL 0)
  file(READ ${BASE}.log text)
  message(FATAL_ERROR "${text}")
endif()
