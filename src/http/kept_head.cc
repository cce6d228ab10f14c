#include "http/kept_head.h"

#include <functional>

namespace onceward::http {

namespace {

// Moves views from the bytes they point into to a copy of these. What lies elsewhere (a constant) stays.
class mover {
 public:
  mover(std::string_view from, const char* to) : from_(from), to_(to) {}

  void operator()(std::string_view& view) const {
    const std::less<const char*> before;
    const bool inside = !before(view.data(), from_.data()) && !before(from_.data() + from_.size(), view.data());
    if (inside) view = {to_ + (view.data() - from_.data()), view.size()};
  }

 private:
  std::string_view from_;
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
