// A library to preload into a database server: beside the folder that the server works in, it keeps another that has of
// each file only what was synced, whole, when it was last synced. So the second folder is what a power cut leaves in
// the worst case: of everything that was not synced, nothing.
//
// ONCEWARD_DISK is the folder, ONCEWARD_DISK_SYNCED the other one, which begins as a copy of it. Names are kinder here
// than on a disk: a rename, link or removal counts at once.

#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

template <typename Function>
Function* next(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

std::string variable(const char* name) {
  const char* value = ::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

// Where a file of the folder is kept in the other one; empty for files elsewhere.
std::string place_of(std::string path) {
  static const std::string disk = variable("ONCEWARD_DISK") + "/";
  static const std::string synced = variable("ONCEWARD_DISK_SYNCED") + "/";
  if (disk.size() == 1) return {};
  if (!path.empty() && path.front() != '/') {
    std::array<char, PATH_MAX> here{};
    if (::getcwd(here.data(), here.size()) == nullptr) return {};
    path = std::string(here.data()) + "/" + path;
  }
  return path.starts_with(disk) ? synced + path.substr(disk.size()) : std::string();
}

void make_folders(const std::string& path) {
  for (std::size_t slash = path.find('/', 1); slash != std::string::npos; slash = path.find('/', slash + 1))
    ::mkdir(path.substr(0, slash).c_str(), 0700);
}

// Whole or not at all, whenever the process ends.
void keep(int descriptor) {
  const int kept_error = errno;
  std::array<char, PATH_MAX> path{};
  const std::string link = "/proc/self/fd/" + std::to_string(descriptor);
  if (::readlink(link.c_str(), path.data(), path.size() - 1) <= 0) return;
  const std::string place = place_of(path.data());
  struct stat about{};
  if (place.empty() || ::fstat(descriptor, &about) != 0 || !S_ISREG(about.st_mode)) return;
  make_folders(place);
  static thread_local unsigned count = 0;
  const std::string half = place + ".half-" + std::to_string(::gettid()) + "-" + std::to_string(++count);
  const int from = ::open(path.data(), O_RDONLY | O_CLOEXEC);
  const int to = ::open(half.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, about.st_mode & 0777);
  off_t done = 0;
  while (from >= 0 && to >= 0 && done < about.st_size) {
    if (::sendfile(to, from, &done, static_cast<std::size_t>(about.st_size - done)) <= 0) break;
  }
  if (from >= 0) ::close(from);
  if (to >= 0) ::close(to);
  next<decltype(rename)>("rename")(half.c_str(), place.c_str());
  errno = kept_error;
}

// What was done to two names, in the other folder, too.
int repeat(int answer, const std::string& from, const std::string& to, int (*real)(const char*, const char*)) {
  const int kept_error = errno;
  if (answer == 0 && !from.empty() && !to.empty()) {
    make_folders(to);
    real(from.c_str(), to.c_str());
  }
  errno = kept_error;
  return answer;
}

}  // namespace

extern "C" {

int fsync(int descriptor) {
  const int answer = next<decltype(fsync)>("fsync")(descriptor);
  if (answer == 0) keep(descriptor);
  return answer;
}

int fdatasync(int descriptor) {
  const int answer = next<decltype(fdatasync)>("fdatasync")(descriptor);
  if (answer == 0) keep(descriptor);
  return answer;
}

int rename(const char* from, const char* to) {
  static auto* const real = next<decltype(rename)>("rename");
  const int answer = real(from, to);
  const std::string old_place = place_of(from), new_place = place_of(to);
  return repeat(answer, old_place, new_place, real);
}

int link(const char* from, const char* to) {
  static auto* const real = next<decltype(link)>("link");
  const int answer = real(from, to);
  const std::string old_place = place_of(from), new_place = place_of(to);
  return repeat(answer, old_place, new_place, real);
}

int unlink(const char* path) {
  static auto* const real = next<decltype(unlink)>("unlink");
  const int answer = real(path);
  const std::string place = place_of(path);
  const int kept_error = errno;
  if (answer == 0 && !place.empty()) real(place.c_str());
  errno = kept_error;
  return answer;
}

}  // extern "C"
