# SPDX-License-Identifier: Apache-2.0
# Makes manual pages and completions of what the program says itself:
#
#   cmake -DFURROW=PROGRAM -DOUT=FOLDER -P help_pages.cmake
#
#   FOLDER/man/furrow.1, furrow-COMMAND.1     a section for each heading of the help
#   FOLDER/completions/furrow, _furrow        for bash and zsh: commands, and the options of each
cmake_minimum_required(VERSION 3.25)

# What CMake would take for parts of a list stands for something else while text is a list of lines.
string(ASCII 1 semicolon)
string(ASCII 2 opening)
string(ASCII 3 closing)
macro(to_lines text)
  string(REPLACE ";" "${semicolon}" lines "${text}")
  string(REPLACE "[" "${opening}" lines "${lines}")
  string(REPLACE "]" "${closing}" lines "${lines}")
  string(REPLACE "\n" ";" lines "${lines}")
endmacro()
macro(to_text line)
  string(REPLACE "${semicolon}" ";" text "${line}")
  string(REPLACE "${opening}" "[" text "${text}")
  string(REPLACE "${closing}" "]" text "${text}")
endmacro()

function(help_of result)
  execute_process(COMMAND ${FURROW} help ${ARGN} OUTPUT_VARIABLE text COMMAND_ERROR_IS_FATAL ANY)
  string(REGEX REPLACE "; here: [a-z0-9, ]+" "" text "${text}")  # of this machine alone
  set(${result} "${text}" PARENT_SCOPE)
endfunction()

# Names in the section of subcommands of a help.
function(commands_in result help)
  set(names)
  string(REGEX MATCH "\nSubcommands:\n(  [^\n]*\n)+" section "${help}")
  string(REGEX MATCHALL "\n  [a-z][a-z-]*" found "${section}")
  foreach(name IN LISTS found)
    string(STRIP "${name}" name)
    list(APPEND names ${name})
  endforeach()
  set(${result} ${names} PARENT_SCOPE)
endfunction()

function(options_in result help)
  string(REGEX MATCHALL "\n +(-[A-Za-z],)?--[a-z][a-z-]*" found "${help}")
  set(names)
  foreach(name IN LISTS found)
    string(REGEX REPLACE ".*(--[a-z-]+)" "\\1" name "${name}")
    list(APPEND names ${name})
  endforeach()
  set(${result} ${names} PARENT_SCOPE)
endfunction()

# A page named furrow or furrow-COMMAND.
function(write_page name help)
  set(page ".TH \"${name}\" 1 \"\" \"${version}\" \"Furrow\"\n")
  set(is_first YES)
  set(is_kept NO)  # within lines that keep their form
  to_lines("${help}")
  foreach(line IN LISTS lines)
    to_text("${line}")
    string(REPLACE "\\" "\\e" text "${text}")
    string(REPLACE "-" "\\-" text "${text}")
    string(REGEX REPLACE "^([.'])" "\\\\&\\1" text "${text}")
    set(heading "")
    if(text MATCHES "^Usage: (.*)$")
      set(heading "SYNOPSIS\n${CMAKE_MATCH_1}")
    elseif(text MATCHES "^([A-Z][A-Za-z ]+):$")
      string(TOUPPER "${CMAKE_MATCH_1}" heading)
    endif()
    if(heading)
      if(is_kept)
        string(APPEND page ".fi\n")
      endif()
      set(is_kept NO)
      string(APPEND page ".SH ${heading}\n")
    elseif(is_first)
      string(REPLACE "-" "\\-" title "${name}")
      string(REGEX REPLACE "^Furrow: " "" text "${text}")
      string(APPEND page ".SH NAME\n${title} \\- ${text}\n")
    elseif(text MATCHES "^ ")
      if(NOT is_kept)
        string(APPEND page ".nf\n")
      endif()
      set(is_kept YES)
      string(APPEND page "${text}\n")
    elseif(NOT text STREQUAL "")
      if(is_kept)
        string(APPEND page ".fi\n")
      endif()
      set(is_kept NO)
      string(APPEND page ".PP\n${text}\n")
    endif()
    set(is_first NO)
  endforeach()
  file(WRITE "${OUT}/man/${name}.1" "${page}")
endfunction()

execute_process(COMMAND ${FURROW} --version OUTPUT_VARIABLE version COMMAND_ERROR_IS_FATAL ANY)
string(STRIP "${version}" version)
file(REMOVE_RECURSE "${OUT}/man" "${OUT}/completions")

help_of(main_help)
commands_in(commands "${main_help}")
options_in(main_options "${main_help}")
set(cases "")  # of the shell, for the words after each command
foreach(command IN LISTS commands)
  help_of(help ${command})
  write_page(furrow-${command} "${help}")
  options_in(options "${help}")
  commands_in(below "${help}")
  foreach(one IN LISTS below)
    help_of(help ${command} ${one})
    write_page(furrow-${command}-${one} "${help}")
    options_in(more "${help}")
    list(APPEND options ${more})
  endforeach()
  if(command STREQUAL "help")
    set(below ${commands})
  endif()
  list(REMOVE_DUPLICATES options)
  list(JOIN below " " below)
  list(JOIN options " " options)
  string(APPEND cases "    ${command}) words='${below} ${options}' ;;\n")
endforeach()
write_page(furrow "${main_help}")  # last: whoever waits for it has all

list(JOIN commands " " commands)
list(JOIN main_options " " main_options)
file(WRITE "${OUT}/completions/furrow" "# bash completion of furrow; options that take files complete files
_furrow() {
  local words
  case \"\${COMP_CWORD}:\${COMP_WORDS[1]}\" in
    1:*) words='${commands} ${main_options}' ;;
  esac
  [[ \${COMP_CWORD} -gt 1 ]] && case \"\${COMP_WORDS[1]}\" in
${cases}  esac
  COMPREPLY=(\$(compgen -W \"\${words}\" -- \"\${COMP_WORDS[COMP_CWORD]}\"))
}
complete -o default -F _furrow furrow
")
string(REPLACE "words='" "known='" zsh_cases "${cases}")
file(WRITE "${OUT}/completions/_furrow" "#compdef furrow
# zsh completion of furrow; options that take files complete files
local known
if (( CURRENT == 2 )); then
  known='${commands} ${main_options}'
else
  case \"\${words[2]}\" in
${zsh_cases}  esac
fi
compadd -- \${=known} || _files
")
