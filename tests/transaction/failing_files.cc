#include "tests/transaction/failing_files.h"

#include <sqlite3.h>

#include <cstddef>

namespace onceward::transaction {
namespace {

struct plan {
  int place = 0;  // 0: nothing fails.
  file_error how = file_error::broken;
  bool for_ever = false;
  int seen = 0;
};
plan now;

// Whether an operation that can fail so is to fail.
bool fails(bool can_be_full) {
  if (now.place == 0 || (now.how == file_error::disk_full && !can_be_full)) return false;
  ++now.seen;
  return now.seen == now.place || (now.for_ever && now.seen > now.place);
}

// Behind it lies the file of the default file system.
struct failing_file {
  sqlite3_file base;
  sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
};

sqlite3_file* real(sqlite3_file* file) {
  return reinterpret_cast<failing_file*>(file)->real();
}

int write(sqlite3_file* file, const void* data, int bytes, sqlite3_int64 at) {
  if (!fails(true)) return real(file)->pMethods->xWrite(real(file), data, bytes, at);
  if (now.how == file_error::broken) return SQLITE_IOERR_WRITE;
  real(file)->pMethods->xWrite(real(file), data, bytes / 2, at);
  return SQLITE_FULL;
}

int truncate(sqlite3_file* file, sqlite3_int64 bytes) {
  return fails(false) ? SQLITE_IOERR_TRUNCATE : real(file)->pMethods->xTruncate(real(file), bytes);
}

int sync(sqlite3_file*, int) {
  return fails(false) ? SQLITE_IOERR_FSYNC : SQLITE_OK;
}

int map_shared(sqlite3_file* file, int page, int bytes, int extends, void volatile** mapped) {
  if (fails(false)) return SQLITE_IOERR_SHMMAP;
  return real(file)->pMethods->xShmMap(real(file), page, bytes, extends, mapped);
}

// The others are handed on as they are.
const sqlite3_io_methods methods = {
    .iVersion = 2,
    .xClose = [](sqlite3_file* file) { return real(file)->pMethods->xClose(real(file)); },
    .xRead = [](sqlite3_file* file, void* into, int bytes,
                sqlite3_int64 at) { return real(file)->pMethods->xRead(real(file), into, bytes, at); },
    .xWrite = write,
    .xTruncate = truncate,
    .xSync = sync,
    .xFileSize = [](sqlite3_file* file,
                    sqlite3_int64* bytes) { return real(file)->pMethods->xFileSize(real(file), bytes); },
    .xLock = [](sqlite3_file* file, int level) { return real(file)->pMethods->xLock(real(file), level); },
    .xUnlock = [](sqlite3_file* file, int level) { return real(file)->pMethods->xUnlock(real(file), level); },
    .xCheckReservedLock = [](sqlite3_file* file,
                             int* is_held) { return real(file)->pMethods->xCheckReservedLock(real(file), is_held); },
    .xFileControl = [](sqlite3_file* file, int what,
                       void* with) { return real(file)->pMethods->xFileControl(real(file), what, with); },
    .xSectorSize = [](sqlite3_file* file) { return real(file)->pMethods->xSectorSize(real(file)); },
    .xDeviceCharacteristics =
        [](sqlite3_file* file) { return real(file)->pMethods->xDeviceCharacteristics(real(file)); },
    .xShmMap = map_shared,
    .xShmLock = [](sqlite3_file* file, int first, int count,
                   int flags) { return real(file)->pMethods->xShmLock(real(file), first, count, flags); },
    .xShmBarrier = [](sqlite3_file* file) { real(file)->pMethods->xShmBarrier(real(file)); },
    .xShmUnmap = [](sqlite3_file* file, int deletes) { return real(file)->pMethods->xShmUnmap(real(file), deletes); },
    .xFetch = nullptr,
    .xUnfetch = nullptr,
};

sqlite3_vfs* beneath() {
  return sqlite3_vfs_find("unix");
}

int open(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* flags_had) {
  auto* const made = reinterpret_cast<failing_file*>(file);
  made->base.pMethods = nullptr;
  const int code = beneath()->xOpen(beneath(), name, made->real(), flags, flags_had);
  if (made->real()->pMethods != nullptr) made->base.pMethods = &methods;
  return code;
}

int remove(sqlite3_vfs*, const char* name, int) {
  return fails(false) ? SQLITE_IOERR_DELETE : beneath()->xDelete(beneath(), name, 0);
}

}  // namespace

const char* failing_files() {
  static sqlite3_vfs made = [] {
    sqlite3_vfs files = *beneath();
    files.szOsFile += static_cast<int>(sizeof(failing_file));
    files.zName = "failing";
    files.pNext = nullptr;
    files.xOpen = open;
    files.xDelete = remove;
    return files;
  }();
  sqlite3_vfs_register(&made, 0);
  return made.zName;
}

void fail_at(int place, file_error how, bool for_ever) {
  now = {place, how, for_ever, 0};
}

bool stop_failing() {
  const bool did = now.place != 0 && now.seen >= now.place;
  now = {};
  return did;
}

}  // namespace onceward::transaction
