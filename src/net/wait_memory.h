// Memory for one asynchronous wait, kept where the wait belongs: a connection waits again and again, and never twice at
// once for the same.
#pragma once

#include <cstddef>
#include <memory>
#include <new>

namespace onceward::net::detail {

class wait_memory {
 public:
  wait_memory() = default;
  wait_memory(const wait_memory&) = delete;
  wait_memory& operator=(const wait_memory&) = delete;

  void* take(std::size_t bytes) {
    if (taken_ || bytes > sizeof bytes_) return ::operator new(bytes);
    taken_ = true;
    return bytes_;
  }

  void give_back(void* place) {
    if (place != bytes_) return ::operator delete(place);
    taken_ = false;
  }

 private:
  alignas(std::max_align_t) std::byte bytes_[192];
  bool taken_ = false;
};

// For Asio: the associated allocator of a wait's handler. The memory outlives the wait.
template <typename T>
class wait_allocator {
 public:
  using value_type = T;

  explicit wait_allocator(wait_memory& memory) : memory_(&memory) {}
  template <typename U>
  wait_allocator(const wait_allocator<U>& other) : memory_(other.memory_) {}

  T* allocate(std::size_t count) { return static_cast<T*>(memory_->take(count * sizeof(T))); }
  void deallocate(T* place, std::size_t) { memory_->give_back(place); }

  friend bool operator==(const wait_allocator&, const wait_allocator&) = default;

 private:
  template <typename U>
  friend class wait_allocator;

  wait_memory* memory_;
};

}  // namespace onceward::net::detail
