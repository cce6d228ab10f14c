// Every known mistake in the journal is found out by a test of tests/crash.
//
// Without arguments: runs itself once for each mistake, with the test that is to find it, and once with none. What runs
// apart may hang or die; that is found out, too.

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <string>
#include <string_view>

#include "tests/mutants/active.h"

namespace onceward::mutants {
namespace {

std::string_view active;

struct mutant {
  const char* name;
  const char* mistake;
  const char* found_by;  // A filter of GoogleTest.
};

constexpr mutant mutants[] = {
#include "mutants.inc"
};

// So much a test may compute that a mistake makes run for ever; all tests together may more.
constexpr rlim_t processor_seconds_max = 15;
constexpr rlim_t processor_seconds_max_for_all = 300;

[[noreturn]] void become(const char* program, const char* mistake, const std::string& tests, int output) {
  ::dup2(output, STDOUT_FILENO);
  ::dup2(output, STDERR_FILENO);
  const rlim_t most = *mistake == '\0' ? processor_seconds_max_for_all : processor_seconds_max;
  const rlimit limit{most, most + 1};
  ::setrlimit(RLIMIT_CPU, &limit);
  const std::string filter = "--gtest_filter=" + tests;
  ::execl(program, program, "--mistake", mistake, filter.c_str(), "--gtest_brief=1", "--gtest_throw_on_failure=0",
          static_cast<char*>(nullptr));
  ::_exit(127);
}

struct verdict {
  bool passed = false;
  std::string how;  // What found the mistake.
};

// Of the tests, in another process.
verdict run_apart(const char* program, const char* mistake, const std::string& tests) {
  std::array<int, 2> ends{};
  if (::pipe(ends.data()) != 0) return {};
  std::fflush(nullptr);
  const pid_t child = ::fork();
  if (child == 0) become(program, mistake, tests, ends[1]);
  ::close(ends[1]);
  std::string output;
  std::array<char, 4096> piece;
  for (ssize_t size = 0; (size = ::read(ends[0], piece.data(), piece.size())) > 0;)
    output.append(piece.data(), static_cast<std::size_t>(size));
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);

  constexpr std::string_view failed = "[  FAILED  ] ";
  const std::size_t at = output.find(failed);
  verdict found{.passed = WIFEXITED(status) && WEXITSTATUS(status) == 0, .how = ""};
  if (found.passed && output.find("[  PASSED  ] 0 tests") != std::string::npos) found = {false, "no such test"};
  if (at != std::string::npos) {
    found.how =
        output.substr(at + failed.size(), output.find_first_of(" ,\n", at + failed.size()) - at - failed.size());
  } else if (WIFSIGNALED(status)) {
    found.how = WTERMSIG(status) == SIGXCPU ? "a test that does not end" : "an assertion";
  }
  return found;
}

int run_all(const char* program) {
  int survivors = 0;
  std::string all_tests;
  for (const mutant& each : mutants) {
    const verdict found = run_apart(program, each.name, each.found_by);
    if (found.passed) std::printf("nobody notices that %s\n", each.mistake);
    std::printf("%-36s %s\n", each.name, found.passed ? "SURVIVES" : found.how.c_str());
    if (found.passed || found.how.empty()) ++survivors;
    all_tests += (all_tests.empty() ? "" : ":") + std::string(each.found_by);
  }
  // The program with all its mistakes switched off is the one that is proven.
  const verdict none = run_apart(program, "", all_tests);
  if (!none.passed) std::printf("without a mistake, too: %s\n", none.how.c_str());
  std::printf("%zu mistakes, %d not found\n", std::size(mutants), survivors);
  return survivors == 0 && none.passed ? 0 : 1;
}

}  // namespace

void activate(std::string_view name) {
  active = name;
}

bool is_active(std::string_view name) {
  return name == active;
}

}  // namespace onceward::mutants

int main(int argc, char** argv) {
  using namespace onceward::mutants;
  if (argc < 3 || std::string_view(argv[1]) != "--mistake") return run_all(argv[0]);
  activate(argv[2]);
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
