// The disk of this machine: one directory of its file system.
#pragma once

#include <memory>
#include <string>

#include "stores/journal/disk.h"

namespace onceward::journal {

enum class page_cache {
  bypassed,  // O_DIRECT where the file system takes it: a sync then has nothing to gather.
  used,      // What is written is in the kernel and survives the process.
};

// Makes the directory, for its owner only, if it is not there; its parent must be.
io_result<std::unique_ptr<disk>> open_posix_disk(const std::string& directory, page_cache mode);

// Whether what is in the directory is gone with the power, whatever was synced. False where that cannot be told.
bool lies_in_memory(const std::string& directory);

}  // namespace onceward::journal
