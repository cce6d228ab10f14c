#include "core/digest_memo.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "core/keyed_digest.h"

namespace onceward::core {
namespace {

base::sha256_digest plain(std::string_view text) {
  base::sha256 digest;
  digest.update(text);
  return digest.finish();
}

TEST(digest_memo, makes_a_digest_once_for_a_text_that_comes_again) {
  digest_memo memo;
  int made = 0;
  const auto make = [&] {
    ++made;
    return plain("POST");
  };
  EXPECT_EQ(memo.digest_of("POST", make), plain("POST"));
  EXPECT_EQ(memo.digest_of("POST", make), plain("POST"));
  EXPECT_EQ(made, 1);
}

TEST(digest_memo, never_gives_a_text_the_digest_of_another) {
  digest_memo memo;
  // Many more than there are places, so that each place is taken again and again.
  for (int round = 0; round < 3; ++round) {
    for (std::size_t number = 0; number < 20 * digest_memo::entries; ++number) {
      const std::string text = "/v1/charges/" + std::to_string(number % 3000);
      ASSERT_EQ(memo.digest_of(text, [&] { return plain(text); }), plain(text)) << text;
    }
  }
}

// Every request has the same few: were one to take another's place, each would be made anew for ever.
TEST(digest_memo, keeps_a_few_texts_that_share_their_places) {
  std::vector<std::string> texts;
  for (int number = 0; texts.size() < digest_memo::ways; ++number) {
    std::string text = "/orders/" + std::to_string(number);
    if (base::checksum(text) % digest_memo::sets == 0) texts.push_back(std::move(text));
  }
  digest_memo memo;
  std::size_t made = 0;
  for (int round = 0; round < 5; ++round) {
    for (const std::string& text : texts) {
      memo.digest_of(text, [&] {
        ++made;
        return plain(text);
      });
    }
  }
  EXPECT_EQ(made, texts.size());
}

TEST(digest_memo, tells_texts_apart_that_begin_alike) {
  digest_memo memo;
  std::string text;
  for (std::size_t bytes = 0; bytes <= digest_memo::text_bytes_max + 2; ++bytes) {
    EXPECT_EQ(memo.digest_of(text, [&] { return plain(text); }), plain(text));
    text += '\0';
  }
}

TEST(digest_memo, changes_no_keyed_digest) {
  const deployment_secret secret("a secret for tests");
  digest_memo memo;
  for (std::size_t bytes = 0; bytes < 600; ++bytes) {
    for (int time = 0; time < 2; ++time) {
      keyed_digest with(secret, digest_use::fingerprint);
      keyed_digest without(secret, digest_use::fingerprint);
      with.part(std::string(bytes, 'x'));
      without.part(std::string(bytes, 'x'));
      EXPECT_EQ(with.finish(&memo), without.finish());
    }
  }
}

}  // namespace
}  // namespace onceward::core
