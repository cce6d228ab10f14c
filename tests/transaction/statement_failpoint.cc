// A library to preload into a program that speaks to a database: ends it, as kill -9 does, before or after the
// statement that it was told of.
//
//   ONCEWARD_KILL_AT=N             the N-th statement, from 1
//   ONCEWARD_KILL_PLACE=before     or after: it was carried out, and the program does not learn it

#include <dlfcn.h>
#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <string_view>

namespace {

int statements = 0;

void pass(std::string_view place) {
  const char* at = std::getenv("ONCEWARD_KILL_AT");
  const char* where = std::getenv("ONCEWARD_KILL_PLACE");
  if (at == nullptr || where == nullptr) return;
  if (statements == std::atoi(at) && place == where) ::kill(::getpid(), SIGKILL);
}

template <typename Function, typename... Arguments>
auto counted(const char* name, Arguments... arguments) {
  const auto real = reinterpret_cast<Function>(::dlsym(RTLD_NEXT, name));
  ++statements;
  pass("before");
  const auto result = real(arguments...);
  pass("after");
  return result;
}

}  // namespace

// Of libpq and SQLite: pointers are handed on and not looked at.
extern "C" {

void* PQexec(void* connection, const char* text) {
  return counted<void* (*)(void*, const char*)>("PQexec", connection, text);
}

void* PQexecParams(void* connection, const char* text, int count, const unsigned* types, const char* const* values,
                   const int* lengths, const int* formats, int format) {
  return counted<void* (*)(void*, const char*, int, const unsigned*, const char* const*, const int*, const int*, int)>(
      "PQexecParams", connection, text, count, types, values, lengths, formats, format);
}

int sqlite3_step(void* statement) {
  return counted<int (*)(void*)>("sqlite3_step", statement);
}

int sqlite3_exec(void* connection, const char* text, int (*row)(void*, int, char**, char**), void* into, char** error) {
  return counted<int (*)(void*, const char*, int (*)(void*, int, char**, char**), void*, char**)>(
      "sqlite3_exec", connection, text, row, into, error);
}
}
