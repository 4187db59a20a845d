# Made by packaging/repositories/make. Never submitted to Homebrew.
cask "cloakroom" do
  arch arm: "aarch64", intel: "x86_64"

  version "@VERSION@"
  sha256 arm:   "@SHA256 cloakroom-@VERSION@-macos-aarch64.zip@",
         intel: "@SHA256 cloakroom-@VERSION@-macos-x86_64.zip@"

  url "@URL@/cloakroom-#{version}-macos-#{arch}.zip"
  name "Cloakroom"
  desc "Private file sharing through relays"
  homepage "https://cloakroom.invalid"

  depends_on macos: ">= :big_sur"

  app "Cloakroom.app"

  zap trash: "~/Library/Application Support/Cloakroom"
end
