#include "gateway/config_document.h"

#include <algorithm>
#include <sstream>
#include <utility>

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

namespace onceward::gateway {
namespace {

config_position position_of(const YAML::Mark& mark) {
  return {mark.line + 1, mark.column + 1};
}

// YAML that is more than we read. An exception, because the parser between its source and parse_config_document() knows
// no other way to stop.
struct refusal : YAML::ParserException {
  using YAML::ParserException::ParserException;
};

// Builds the tree from the parser's events.
class tree_builder final : public YAML::EventHandler {
 public:
  explicit tree_builder(config_findings& findings) : findings_(findings) {}

  config_node take() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark& mark) override { root_.where = position_of(mark); }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    check(mark, "", anchor);
    add({position_of(mark), config_null{}}, mark);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    throw refusal(mark, "aliases are not read; what routes share goes under `defaults`");
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& text) override {
    check(mark, tag, anchor);
    if (expects_name()) {
      open_.back().name = config_entry{text, position_of(mark), {}};
    } else {
      add({position_of(mark), config_scalar{text}}, mark);
    }
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(mark, tag, anchor, {position_of(mark), config_list{}});
  }
  void OnSequenceEnd() override { close(); }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(mark, tag, anchor, {position_of(mark), config_map{}});
  }
  void OnMapEnd() override { close(); }

 private:
  // A list or map whose end has not come yet.
  struct unfinished {
    config_node node;
    std::optional<config_entry> name;  // Of a map: the entry whose value comes next.
    YAML::Mark mark;
  };

  bool expects_name() const {
    return !open_.empty() && std::holds_alternative<config_map>(open_.back().node.value) && !open_.back().name;
  }

  void check(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
    if (anchor != YAML::NullAnchor) {
      throw refusal(mark, "anchors are not read; what routes share goes under `defaults`");
    }
    // "?" and "!" are how the parser says that there is no tag: plain and quoted.
    if (!tag.empty() && tag != "?" && tag != "!") throw refusal(mark, "tags are not read");
    if (++values_ > config_values_max) {
      throw refusal(mark, fmt::format("more than {} values", config_values_max));
    }
  }

  void open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, config_node node) {
    check(mark, tag, anchor);
    if (expects_name()) throw refusal(mark, "a key must be a word, not a list or a map");
    if (open_.size() == config_depth_max) {
      throw refusal(mark, fmt::format("nested deeper than {} levels", config_depth_max));
    }
    open_.push_back({std::move(node), std::nullopt, mark});
  }

  void close() {
    unfinished done = std::move(open_.back());
    open_.pop_back();
    add(std::move(done.node), done.mark);
  }

  void add(config_node node, const YAML::Mark& mark) {
    if (open_.empty()) {
      root_ = std::move(node);
      return;
    }
    unfinished& parent = open_.back();
    if (auto* list = std::get_if<config_list>(&parent.node.value)) {
      list->items.push_back(std::move(node));
      return;
    }
    if (!parent.name) throw refusal(mark, "a key must be a word");
    // The parser places a missing value where it noticed, which may be lines further on.
    if (std::holds_alternative<config_null>(node.value)) node.where = parent.name->where;
    parent.name->node = std::move(node);
    add_entry(std::get<config_map>(parent.node.value), std::move(*parent.name));
    parent.name.reset();
  }

  void add_entry(config_map& map, config_entry entry) {
    if (const config_entry* first = map.find(entry.name)) {
      findings_.push_back(
          {config_severity::error, entry.where,
           fmt::format("{} is given twice; first in line {}", in_quotes(entry.name), first->where.line)});
      return;
    }
    map.entries.push_back(std::move(entry));
  }

  config_findings& findings_;
  config_node root_;
  std::vector<unfinished> open_;
  std::size_t values_ = 0;
};

}  // namespace

const config_entry* config_map::find(std::string_view name) const {
  const auto found =
      std::find_if(entries.begin(), entries.end(), [&](const config_entry& entry) { return entry.name == name; });
  return found == entries.end() ? nullptr : &*found;
}

std::optional<config_node> parse_config_document(std::string_view text, config_findings& findings) {
  if (text.size() > config_bytes_max) {
    findings.push_back({config_severity::error, {}, fmt::format("is larger than {} bytes", config_bytes_max)});
    return std::nullopt;
  }
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    tree_builder builder(findings);
    if (!parser.HandleNextDocument(builder)) return config_node{{1, 1}, config_null{}};
    config_node root = builder.take();
    tree_builder rest(findings);
    if (parser.HandleNextDocument(rest)) {
      findings.push_back({config_severity::error, rest.take().where,
                          "the document is over here: wrong indentation, or a second document"});
      return std::nullopt;
    }
    return root;
  } catch (const refusal& refused) {
    findings.push_back({config_severity::error, position_of(refused.mark), refused.msg});
  } catch (const YAML::Exception& malformed) {
    findings.push_back({config_severity::error, position_of(malformed.mark),
                        fmt::format("is not YAML: {}", printable(malformed.msg))});
  }
  return std::nullopt;
}

}  // namespace onceward::gateway
