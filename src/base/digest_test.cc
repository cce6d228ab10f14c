#include "base/digest.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <string>

#include "base/hex.h"

namespace onceward::base {
namespace {

std::string sha256_hex(std::string_view bytes) {
  sha256 digest;
  digest.update(bytes);
  return to_hex(digest.finish());
}

std::string hmac_hex(std::string_view secret, std::string_view bytes) {
  const hmac_key key(secret);
  hmac digest(key);
  digest.update(bytes);
  return to_hex(digest.finish());
}

TEST(sha256, gives_the_published_digests) {
  EXPECT_EQ(sha256_hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256_hex(std::string(1'000'000, 'a')),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(sha256, does_not_see_where_its_input_was_cut) {
  const std::string input(200, 'x');
  const std::string whole = sha256_hex(input);
  for (std::size_t cut = 0; cut <= input.size(); ++cut) {
    sha256 digest;
    digest.update(std::string_view(input).substr(0, cut));
    digest.update(std::string_view(input).substr(cut));
    EXPECT_EQ(to_hex(digest.finish()), whole) << cut;
  }
}

TEST(sha256, can_be_copied_under_way) {
  sha256 first;
  first.update("a");
  sha256 second = first;
  first.update("bc");
  second.update("x");
  EXPECT_EQ(to_hex(first.finish()), sha256_hex("abc"));
  EXPECT_EQ(to_hex(second.finish()), sha256_hex("ax"));
}

// RFC 4231, test cases 1, 2, 3, 6 and 7.
TEST(hmac, gives_the_published_digests) {
  EXPECT_EQ(hmac_hex(std::string(20, '\x0b'), "Hi There"),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  EXPECT_EQ(hmac_hex("Jefe", "what do ya want for nothing?"),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(hmac_hex(std::string(20, '\xaa'), std::string(50, '\xdd')),
            "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe");
  EXPECT_EQ(hmac_hex(std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First"),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
  EXPECT_EQ(
      hmac_hex(std::string(131, '\xaa'),
               "This is a test using a larger than block-size key and a larger than block-size data. The key needs to "
               "be hashed before being used by the HMAC algorithm."),
      "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2");
}

TEST(hmac, agrees_with_openssl_for_every_length_of_key) {
  for (std::size_t length = 0; length <= 130; ++length) {
    const std::string secret(length, 'k');
    const std::string input(length * 3, 'i');
    sha256_digest expected;
    HMAC(EVP_sha256(), secret.data(), static_cast<int>(length), reinterpret_cast<const unsigned char*>(input.data()),
         input.size(), reinterpret_cast<unsigned char*>(expected.data()), nullptr);
    EXPECT_EQ(hmac_hex(secret, input), to_hex(expected)) << length;
  }
}

TEST(equal_in_constant_time, compares_length_and_bytes) {
  EXPECT_TRUE(equal_in_constant_time("", ""));
  EXPECT_TRUE(equal_in_constant_time("same", "same"));
  EXPECT_FALSE(equal_in_constant_time("same", "sane"));
  EXPECT_FALSE(equal_in_constant_time("same", "sam"));
}

}  // namespace
}  // namespace onceward::base
