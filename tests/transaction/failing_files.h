// A file system for SQLite, over its default one, whose operations fail when a test says so.
//
// Only one thread at a time. Nothing is synced, because nobody cuts the power here.
#pragma once

namespace onceward::transaction {

enum class file_error { disk_full, broken };

// How SQLite is told of it; registered at the first call.
const char* failing_files();

// From now on the `place`-th operation that can fail so, from 1, does; `for_ever`: all after it as well. A disk that is
// full takes half of what it is given.
void fail_at(int place, file_error how, bool for_ever);

// None any more. Whether one did.
bool stop_failing();

}  // namespace onceward::transaction
