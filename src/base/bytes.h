// A flat, growing byte buffer with a front to read from and a back to write to: what a connection reads into and what a
// message is serialised into.
//
// Its storage is never zeroed and is kept between messages, so that a connection in steady state does not allocate.
// prepare() and append() may move the bytes: views into the buffer are valid until the next of these. consume() moves
// nothing. The buffer grows as far as it is asked to; the limit is the caller's.
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

#include "base/assert.h"

namespace onceward::base {

class byte_buffer {
 public:
  byte_buffer() = default;
  byte_buffer(const byte_buffer&) = delete;
  byte_buffer& operator=(const byte_buffer&) = delete;
  byte_buffer(byte_buffer&& other) noexcept { swap(other); }
  byte_buffer& operator=(byte_buffer&& other) noexcept {
    byte_buffer moved(std::move(other));
    swap(moved);
    return *this;
  }
  ~byte_buffer() = default;

  // What was written and not yet consumed.
  std::string_view readable() const { return {storage_.get() + front_, back_ - front_}; }
  std::size_t size() const { return back_ - front_; }
  bool empty() const { return back_ == front_; }
  std::size_t capacity() const { return capacity_; }

  // Room for at least `bytes` more at the back, uninitialised; commit() makes the first of them readable.
  std::span<char> prepare(std::size_t bytes) {
    if (capacity_ - back_ < bytes) make_room(bytes);
    return {storage_.get() + back_, capacity_ - back_};
  }

  void commit(std::size_t bytes) {
    onceward_assert(bytes <= capacity_ - back_);
    back_ += bytes;
  }

  void append(std::string_view bytes) {
    if (bytes.empty()) return;
    std::memcpy(prepare(bytes.size()).data(), bytes.data(), bytes.size());
    back_ += bytes.size();
  }

  // Drops bytes from the front. An emptied buffer starts again at the beginning of its storage.
  void consume(std::size_t bytes) {
    onceward_assert(bytes <= size());
    front_ += bytes;
    if (front_ == back_) front_ = back_ = 0;
  }

  void clear() { front_ = back_ = 0; }

  // Gives the storage back if the buffer is empty and had grown beyond `bytes`: one large message must not hold its
  // memory for the rest of a long connection.
  void release_above(std::size_t bytes) {
    if (!empty() || capacity_ <= bytes) return;
    storage_.reset();
    capacity_ = front_ = back_ = 0;
  }

  void swap(byte_buffer& other) noexcept {
    std::swap(storage_, other.storage_);
    std::swap(capacity_, other.capacity_);
    std::swap(front_, other.front_);
    std::swap(back_, other.back_);
  }

 private:
  void make_room(std::size_t bytes);

  std::unique_ptr<char[]> storage_;
  std::size_t capacity_ = 0;
  std::size_t front_ = 0;
  std::size_t back_ = 0;
};

}  // namespace onceward::base
