// Digests under the deployment secret of several parts, none of which can pretend to be another: each is preceded by
// its length.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "base/assert.h"
#include "core/digest_memo.h"
#include "core/secret.h"

namespace onceward::core {

// Gathers small pieces, so that the digest is fed whole blocks.
class keyed_digest {
 public:
  keyed_digest(const deployment_secret& secret, digest_use use) : digest_(secret) { byte(static_cast<char>(use)); }

  // A part of one byte needs no length.
  void byte(char value) {
    if (used_ == pending_.size()) flush();
    pending_[used_++] = value;
  }

  void part(std::string_view bytes) {
    length(bytes.size());
    raw(bytes);
  }

  // The last part needs no length either, and may come in pieces.
  void raw(std::string_view bytes) {
    if (bytes.size() > pending_.size() - used_) {
      flush();
      if (bytes.size() > pending_.size()) {
        digest_.update(bytes);
        return;
      }
    }
    if (!bytes.empty()) std::memcpy(pending_.data() + used_, bytes.data(), bytes.size());
    used_ += bytes.size();
  }

  void length(std::size_t count) {
    onceward_assert(count <= UINT32_MAX);
    const std::array<char, 4> bytes{static_cast<char>(count & 0xff), static_cast<char>(count >> 8 & 0xff),
                                    static_cast<char>(count >> 16 & 0xff), static_cast<char>(count >> 24 & 0xff)};
    raw({bytes.data(), bytes.size()});
  }

  // With a memo where the text is likely to come again.
  base::sha256_digest finish(digest_memo* memo = nullptr) {
    const auto digest_now = [this] {
      flush();
      return digest_.finish();
    };
    if (memo == nullptr || flushed_) return digest_now();
    return memo->digest_of({pending_.data(), used_}, digest_now);
  }

 private:
  void flush() {
    flushed_ = true;
    digest_.update({pending_.data(), used_});
    used_ = 0;
  }

  base::hmac digest_;
  std::array<char, 256> pending_;
  std::size_t used_ = 0;
  bool flushed_ = false;
};

}  // namespace onceward::core
