# Made by packaging/repositories/make. Never submitted to Homebrew.
class Cloak < Formula
  desc "Private file sharing by onion requests, on the command line"
  homepage "https://cloakroom.invalid"
  url "@URL@/cloakroom-@VERSION@-source.tar.gz"
  sha256 "@SHA256 cloakroom-@VERSION@-source.tar.gz@"
  license any_of: ["MIT", "Apache-2.0"]

  depends_on "rust" => :build

  def install
    system "cargo", "install", "--no-default-features", "--features", "cli,s3", "--bin", "cloak", *std_cargo_args
    generate_completions_from_executable(bin/"cloak", "completions")
    man1.mkpath
    system bin/"cloak", "man", man1
  end

  test do
    (testpath/"file.txt").write "taken round"
    system bin/"cloak", "demo", "file.txt"
  end
end
