# cmake -DOBJDUMP=... -DOBJECT=... -DPACKED=regex -DSINGLE=regex -P check_vector_code.cmake
# The object's code has packed arithmetic, no arithmetic on single numbers, and no calls.
execute_process(COMMAND "${OBJDUMP}" -d --no-show-raw-insn "${OBJECT}" OUTPUT_VARIABLE code COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCHALL "${PACKED}" packed "${code}")
list(LENGTH packed packed_count)
if(packed_count LESS 20)
  message(FATAL_ERROR "only ${packed_count} packed instructions:\n${code}")
endif()
if(code MATCHES "${SINGLE}|[ \t]call")
  message(FATAL_ERROR "`${CMAKE_MATCH_0}` in the vector code:\n${code}")
endif()
message(STATUS "${packed_count} packed instructions")
