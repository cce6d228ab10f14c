#include "http/kept_head.h"

#include <cstdint>

namespace onceward::http {

namespace {

// Moves views from the bytes they point into to a copy of these. What lies elsewhere (a constant) stays.
class mover {
 public:
  mover(std::string_view from, const char* to) : from_(address(from)), from_bytes_(from.size()), to_(to) {}

  void operator()(std::string_view& view) const {
    // What lies before the bytes is far behind them in this arithmetic.
    const std::uintptr_t offset = address(view) - from_;
    if (offset <= from_bytes_) view = {to_ + offset, view.size()};
  }

 private:
  static std::uintptr_t address(std::string_view text) { return reinterpret_cast<std::uintptr_t>(text.data()); }

  std::uintptr_t from_;
  std::size_t from_bytes_;
  const char* to_;
};

void move_views(request_head_view& head, const mover& move) {
  move(head.method);
  move(head.target);
  move(head.path);
  if (head.query) move(*head.query);
  move(head.authority);
}

void move_views(response_head_view& head, const mover& move) {
  move(head.reason);
}

}  // namespace

template <class HeadView>
void kept_head<HeadView>::assign(const HeadView& head) {
  bytes_.assign(head.raw.begin(), head.raw.end());
  fields_.assign(head.fields.begin(), head.fields.end());
  view_ = head;

  const mover move(head.raw, bytes_.data());
  move_views(view_, move);
  for (field_view& field : fields_) {
    move(field.name);
    move(field.value);
  }
  view_.raw = {bytes_.data(), bytes_.size()};
  view_.fields = fields_;
}

template class kept_head<request_head_view>;
template class kept_head<response_head_view>;

}  // namespace onceward::http
