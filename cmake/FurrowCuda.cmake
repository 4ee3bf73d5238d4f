# SPDX-License-Identifier: Apache-2.0
# CUDA is optional. AUTO takes it when nvcc is found, ON demands it, OFF leaves it out, and HERE compiles for
# the cards of this machine alone, which is quick, or leaves it out when there is none.

# Architectures of the cards here that Furrow can use, such as 90-real, each once. A driver may hang.
function(furrow_find_cards result)
  set(cards)
  set(text)
  execute_process(COMMAND nvidia-smi --query-gpu=compute_cap --format=csv,noheader
                  OUTPUT_VARIABLE text ERROR_QUIET RESULT_VARIABLE code TIMEOUT 20)
  if(code EQUAL 0)
    string(REGEX MATCHALL "[0-9]+[.][0-9]" capabilities "${text}")
    list(REMOVE_DUPLICATES capabilities)
    foreach(capability IN LISTS capabilities)
      string(REPLACE "." "" number ${capability})
      if(number GREATER_EQUAL 75)
        list(APPEND cards ${number}-real)
      endif()
    endforeach()
  endif()
  set(${result} ${cards} PARENT_SCOPE)
endfunction()

set(FURROW_CUDA_ENABLED OFF)
if(FURROW_CUDA STREQUAL "HERE")
  furrow_find_cards(cards_here)
endif()
if(FURROW_CUDA STREQUAL "HERE" AND NOT cards_here)
  message(STATUS "CUDA: left out, no card of this machine can be used (FURROW_CUDA=HERE); Furrow will encode on the CPU")
elseif(FURROW_CUDA STREQUAL "OFF")
  message(STATUS "CUDA: left out (FURROW_CUDA=OFF); Furrow will encode on the CPU")
else()
  # Named before the language is enabled: the default of this CMake is too old for current nvcc.
  if(cards_here)
    set(CMAKE_CUDA_ARCHITECTURES ${cards_here})
  elseif(NOT DEFINED CMAKE_CUDA_ARCHITECTURES)
    # Code for each card from Turing on, PTX of the newest for those to come, and that of 100 for 110, which the
    # newest does not cover.
    set(CMAKE_CUDA_ARCHITECTURES 75-real 80-real 86-real 89-real 90-real 100 120)
  endif()
  if(NOT CMAKE_CUDA_COMPILER AND NOT DEFINED ENV{CUDACXX})
    find_program(FURROW_NVCC nvcc HINTS /usr/local/cuda/bin)
    if(FURROW_NVCC)
      set(CMAKE_CUDA_COMPILER ${FURROW_NVCC})
    endif()
  endif()
  include(CheckLanguage)
  check_language(CUDA)
  if(CMAKE_CUDA_COMPILER)
    enable_language(CUDA)
    # CMake 3.25 does not know that nvcc speaks C++20.
    if(NOT CMAKE_CUDA20_STANDARD_COMPILE_OPTION)
      set(CMAKE_CUDA20_STANDARD_COMPILE_OPTION "-std=c++20")
      set(CMAKE_CUDA20_EXTENSION_COMPILE_OPTION "-std=c++20")
    endif()
    # The runtime goes into the program, so that it starts on a machine without CUDA or a driver.
    set(CMAKE_CUDA_RUNTIME_LIBRARY Static)
    set(CMAKE_CUDA_STANDARD 20)
    set(CMAKE_CUDA_STANDARD_REQUIRED ON)
    set(FURROW_CUDA_ENABLED ON)
    message(STATUS "CUDA: ${CMAKE_CUDA_COMPILER} ${CMAKE_CUDA_COMPILER_VERSION}, "
                   "architectures ${CMAKE_CUDA_ARCHITECTURES}")
  elseif(FURROW_CUDA STREQUAL "ON")
    message(FATAL_ERROR "FURROW_CUDA=ON, but no working nvcc was found. Set CUDACXX or PATH, or use "
                        "FURROW_CUDA=AUTO to build for the CPU alone.")
  else()
    message(STATUS "CUDA: left out, no working nvcc found; Furrow will encode on the CPU "
                   "(set CUDACXX or PATH and configure again to include it)")
  endif()
endif()

# For what has no kernels, and for programs that no user runs: when the engine is compiled for many cards,
# these get PTX alone, which the driver compiles on the card it finds. A build for one card compiles them for it.
function(furrow_compile_for_any_card target)
  list(LENGTH CMAKE_CUDA_ARCHITECTURES n_architectures)
  if(n_architectures GREATER 1)
    set_target_properties(${target} PROPERTIES CUDA_ARCHITECTURES 75-virtual)
    target_compile_definitions(${target} PRIVATE FURROW_PTX_ALONE)
  endif()
endfunction()
