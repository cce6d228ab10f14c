// Memory for direct I/O: aligned to blocks, whole blocks long.
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <new>
#include <span>

#include "stores/journal/disk.h"

namespace onceward::journal {

constexpr std::size_t whole_blocks(std::size_t bytes) {
  return (bytes + block_bytes - 1) / block_bytes * block_bytes;
}

class block_buffer {
 public:
  block_buffer() = default;
  explicit block_buffer(std::size_t bytes) { reserve(bytes); }

  // At least `bytes` long from now on; what was in it is lost if it has to grow.
  void reserve(std::size_t bytes) {
    if (bytes <= size_) return;
    size_ = whole_blocks(bytes);
    memory_.reset(static_cast<std::byte*>(::operator new(size_, std::align_val_t{block_bytes})));
  }

  std::byte* data() { return memory_.get(); }
  std::span<std::byte> first(std::size_t bytes) { return std::span{memory_.get(), size_}.first(bytes); }

 private:
  struct release {
    void operator()(std::byte* memory) const { ::operator delete(memory, std::align_val_t{block_bytes}); }
  };
  std::unique_ptr<std::byte, release> memory_;
  std::size_t size_ = 0;
};

}  // namespace onceward::journal
