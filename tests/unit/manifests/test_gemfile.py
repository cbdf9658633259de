from libraries_io_mcp.manifests import read_manifest

GEMFILE = """\
source "https://rubygems.org"
ruby "3.3.0"
gemspec

gem "rails", "~> 7.1", ">= 7.1.2" # the frame
gem 'puma', '6.4.2', require: false
gem "pg",
    group: :production
gem("dotenv", groups: [:development, :test])
gem "fork", git: "https://github.com/acme/fork"
gem name, "1.0"
gem "half", VERSION
gem "dyn#{x}"

group :development, :test do
  gem "rspec", "= 3.12.0"
  if ENV["DEBUG"]
    gem "byebug"
  end
end
path "../local" do
  gem "near"
end
group :test do
  gem "capybara"
end
puts "hello"
"""
LOCK = """\
GIT
  remote: https://github.com/acme/fork
  revision: abc
  specs:
    fork (1.0)

GEM
  remote: https://rubygems.org/
  specs:
    nokogiri (1.16.0-x86_64-linux)
      racc (~> 1.4)
    nokogiri (1.16.0-arm64-darwin)
    racc (1.7.3)

PLATFORMS
  x86_64-linux

DEPENDENCIES
  fork!
  nokogiri (~> 1.16)

BUNDLED WITH
   2.5.4
"""


def test_gemfile():
    manifest = read_manifest(GEMFILE)
    assert manifest.kind == "Gemfile"
    assert [(p.name, p.requirement, p.version, p.kind, p.group, p.marker, p.line) for p in manifest.packages] == [
        ("rails", "~> 7.1, >= 7.1.2", None, "runtime", None, None, 5),
        ("puma", "6.4.2", "6.4.2", "runtime", None, None, 6),
        ("pg", None, None, "runtime", "production", None, 7),
        ("dotenv", None, None, "dev", "development,test", None, 9),
        ("half", None, None, "runtime", None, None, 12),
        ("rspec", "= 3.12.0", "3.12.0", "dev", "development,test", None, 16),
        ("byebug", None, None, "dev", "development,test", 'if ENV["DEBUG"]', 18),
        ("capybara", None, None, "test", "test", None, 25),
    ]
    assert [piece.line for piece in manifest.unread] == [3, 10, 11, 12, 13, 22, 27]
    assert [piece.line for piece in manifest.noted] == [1, 2]


def test_what_a_gemfile_hides():
    manifest = read_manifest("""\
if true then gem 'nokogiri' end
git "https://example.org/x.git" do
  if a then gem 'inner' end
  gem 'near'
end
gem 'rails'
=begin
gem 'commented'
=end
group(:test) { gem 'brace' }
gem"tight", \\
  "1.0"
else
gem 'last'
__END__
gem 'data'
""")
    assert [(p.name, p.requirement, p.marker, p.line) for p in manifest.packages] == [
        ("rails", None, None, 6),
        ("tight", "1.0", None, 11),
        ("last", None, None, 14),
    ]
    assert [(piece.line, piece.text) for piece in manifest.unread] == [
        (1, "if true then gem 'nokogiri' end"),
        (3, "if a then gem 'inner' end"),
        (4, "gem 'near'"),
        (10, "group(:test) { gem 'brace' }"),
    ]
    assert [piece.line for piece in manifest.noted] == [15]


def test_a_comment_of_a_gemfile_without_end_is_told():
    manifest = read_manifest("gem 'rails'\n=begin\ngem 'commented'\n", "Gemfile")
    assert [package.name for package in manifest.packages] == ["rails"]
    assert [(piece.line, piece.text) for piece in manifest.unread] == [(2, "=begin")]


def test_gemfile_lock():
    manifest = read_manifest(LOCK)
    assert manifest.kind == "Gemfile.lock"
    assert [(p.name, p.version, p.direct, p.line) for p in manifest.packages] == [
        ("nokogiri", "1.16.0", True, 10),
        ("racc", "1.7.3", False, 13),
    ]
    assert manifest.repeated == 1
    assert [piece.line for piece in manifest.unread] == [5]
