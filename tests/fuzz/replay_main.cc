// Stands in for libFuzzer where that is not linked: runs a fuzz target over the files it is given, and over every file
// of the folders it is given. Fails if a path does not exist or nothing was replayed, so that a lost corpus is seen,
// and if one input takes more than ten seconds.

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <system_error>
#include <vector>

#include <unistd.h>

// Defined by the fuzz target that this file is linked with; the name is libFuzzer's.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

namespace fs = std::filesystem;

constexpr unsigned seconds_max = 10;

bool replay(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  const std::vector<char> bytes{std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
  if (!stream.eof() && stream.fail()) {
    std::fprintf(stderr, "cannot read %s\n", file.c_str());
    return false;
  }
  // A copy of the exact size on the heap, so that AddressSanitizer sees a read past its end.
  const std::vector<std::uint8_t> input(bytes.begin(), bytes.end());
  ::alarm(seconds_max);
  LLVMFuzzerTestOneInput(input.data(), input.size());
  ::alarm(0);
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<fs::path> files;
  for (int i = 1; i < argc; ++i) {
    const fs::path path = argv[i];
    std::error_code failure;
    if (fs::is_directory(path, failure)) {
      for (const auto& entry : fs::directory_iterator(path)) {
        if (entry.is_regular_file()) files.push_back(entry.path());
      }
    } else if (fs::is_regular_file(path, failure)) {
      files.push_back(path);
    } else {
      std::fprintf(stderr, "no such file or folder: %s\n", path.c_str());
      return 1;
    }
  }

  LLVMFuzzerTestOneInput(nullptr, 0);
  for (const fs::path& file : files) {
    if (!replay(file)) return 1;
  }
  std::printf("replayed %zu files and the empty input\n", files.size());
  return files.empty() ? 1 : 0;
}
