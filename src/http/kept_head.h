// A head that owns its bytes: for an exchange that outlives the buffer it was read from.
#pragma once

#include <string_view>
#include <vector>

#include "http/request_head.h"
#include "http/response_head.h"

namespace onceward::http {

// One copy of the head's bytes and of its table of fields; memory is reused by the next assign(). Moving one keeps the
// views valid. borrows: from its own bytes alone.
template <class HeadView>
class kept_head {
 public:
  kept_head() = default;
  kept_head(const kept_head&) = delete;
  kept_head& operator=(const kept_head&) = delete;
  kept_head(kept_head&&) noexcept = default;
  kept_head& operator=(kept_head&&) noexcept = default;
  ~kept_head() = default;

  void assign(const HeadView& head);

  // Valid until the next assign().
  const HeadView& view() const { return view_; }

 private:
  std::vector<char> bytes_;
  std::vector<field_view> fields_;
  HeadView view_;
};

using kept_request_head = kept_head<request_head_view>;
using kept_response_head = kept_head<response_head_view>;

}  // namespace onceward::http
