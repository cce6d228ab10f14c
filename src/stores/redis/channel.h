// A socket to a server, never blocking, with TLS or without.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include <tl/expected.hpp>

#include "stores/redis/slots.h"

namespace onceward::redis {

// Whom a TLS server has to be certified by.
class trust {
 public:
  // `ca_file` is empty for what the system trusts. The error is a sentence.
  static tl::expected<std::shared_ptr<trust>, std::string> make(const std::string& ca_file);
  ~trust();
  trust(const trust&) = delete;
  trust& operator=(const trust&) = delete;

 private:
  friend class channel;
  struct context;
  explicit trust(std::unique_ptr<context> made);
  std::unique_ptr<context> context_;
};

class channel {
 public:
  enum class progress { done, wants_to_read, wants_to_write, failed };

  // Looks the name up, which may block, and begins to connect; with TLS if there is somebody to trust. Of a name with
  // several addresses, the one at place `turn`, counted around.
  static tl::expected<channel, std::string> begin(const address& where, const std::shared_ptr<trust>& whom,
                                                  std::size_t turn);
  channel(channel&& other) noexcept;
  channel& operator=(channel&& other) noexcept;
  ~channel();

  int descriptor() const { return descriptor_; }
  // Goes on connecting, whenever the socket is ready for what was wanted.
  progress connect();
  // `count`: how many bytes moved. A peer that ended is a failure.
  progress read(std::span<char> into, std::size_t& count);
  progress write(std::string_view bytes, std::size_t& count);
  // Why it failed.
  const std::string& why() const { return why_; }

 private:
  struct session;
  channel();
  progress fail(std::string why);
  progress judge(int outcome);
  static std::string words_of_tls(const char* fallback);

  int descriptor_ = -1;
  bool is_connected_ = false;
  std::unique_ptr<session> session_;
  std::string why_;
};

}  // namespace onceward::redis
