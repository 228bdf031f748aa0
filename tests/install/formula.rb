# A stand-in for Homebrew, as far as mirrord's formula needs it: it downloads the archive for the system and processor named by
# FORMULA_OS and FORMULA_CPU, checks its hash, unpacks it, and runs the formula's install and test blocks. Like Homebrew it runs
# both in folders of their own, and installs nothing outside the prefix. Usage: ruby formula.rb FORMULA PREFIX
require "digest"
require "fileutils"
require "net/http"
require "open3"
require "pathname"
require "tmpdir"

# Homebrew's own: moves files into this folder; a hash gives another name.
class Pathname
  def install(*sources)
    mkpath
    sources.flatten.each do |source|
      (source.is_a?(Hash) ? source : { source => File.basename(source) }).each do |from, name|
        raise "there is no #{from}" unless File.file?(from)

        FileUtils.mv(from, self / name)
      end
    end
  end
end

class Formula
  @values = {}

  class << self
    attr_reader :values

    def inherited(formula)
      super
      formula.instance_variable_set(:@values, {})
      @last = formula
    end

    def last
      @last or raise "the file has no formula"
    end

    %i[desc homepage version url sha256 license].each do |name|
      define_method(name) do |value|
        raise "#{name} stands twice" if @values.key?(name)

        @values[name] = value
      end
    end

    def depends_on(what)
      raise "needs #{what}" if %i[linux macos].include?(what) && what.to_s != ENV.fetch("FORMULA_OS")
    end

    def on_linux(&) = ENV.fetch("FORMULA_OS") == "linux" && class_eval(&)
    def on_macos(&) = ENV.fetch("FORMULA_OS") == "macos" && class_eval(&)
    def on_intel(&) = ENV.fetch("FORMULA_CPU") == "intel" && class_eval(&)
    def on_arm(&) = ENV.fetch("FORMULA_CPU") == "arm" && class_eval(&)

    def test(&) = define_method(:run_test, &)
  end

  attr_reader :prefix, :testpath

  def initialize(prefix, testpath)
    @prefix = Pathname.new(prefix)
    @testpath = Pathname.new(testpath)
  end

  def version = self.class.values.fetch(:version)
  def bin = prefix / "bin"
  def man1 = prefix / "share/man/man1"
  def bash_completion = prefix / "etc/bash_completion.d"
  def zsh_completion = prefix / "share/zsh/site-functions"
  def fish_completion = prefix / "share/fish/vendor_completions.d"

  def shell_output(command, expected = 0)
    output, status = Open3.capture2(command)
    raise "#{command} ended with #{status.exitstatus}, not #{expected}" unless status.exitstatus == expected

    output
  end

  def assert_match(pattern, text)
    raise "#{text.inspect} does not match #{pattern.inspect}" unless text.match?(pattern.is_a?(String) ? Regexp.escape(pattern) : pattern)
  end
end

def download(url)
  answer = Net::HTTP.get_response(URI(url))
  raise "#{url}: #{answer.code}" unless answer.is_a?(Net::HTTPSuccess)

  answer.body
end

load File.expand_path(ARGV.fetch(0))
values = Formula.last.values
missing = %i[desc homepage version url sha256 license].reject { |name| values.key?(name) }
raise "without #{missing.join(", ")}" unless missing.empty?
raise "desc is too long, or ends with a full stop" if values[:desc].length > 80 || values[:desc].end_with?(".")

archive = download(values[:url])
raise "the hash of #{values[:url]} is another" unless Digest::SHA256.hexdigest(archive) == values[:sha256]

Dir.mktmpdir do |build|
  File.binwrite("#{build}/archive", archive)
  system("tar", "-xzf", "archive", chdir: build, exception: true)
  File.delete("#{build}/archive")
  # Homebrew goes into an archive's only folder.
  inside = Dir.children(build)
  start = inside.length == 1 ? "#{build}/#{inside[0]}" : build
  Dir.mktmpdir do |testpath|
    formula = Formula.last.new(File.expand_path(ARGV.fetch(1)), testpath)
    Dir.chdir(start) { formula.install }
    Dir.chdir(testpath) { formula.run_test }
  end
end
puts "installed and tested #{values[:version]}"
