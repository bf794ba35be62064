# What Open OnDemand does with an app's files, as Ruby and its YAML do it: requests on stdin, answers on stdout.
require "erb"
require "json"
require "ostruct"
require "yaml"

Session = Struct.new(:session, :context) do
  def surroundings
    binding
  end
end

# Enumerable, so that a field may not be called as one of its methods.
class Context
  include Enumerable

  def initialize(values)
    @values = values
  end

  def each(&block)
    @values.each(&block)
  end

  def method_missing(name, *)
    @values.fetch(name.to_s) { super }
  end

  def respond_to_missing?(name, all = false)
    @values.key?(name.to_s) || super
  end
end

def surroundings(kind, values)
  return Session.new(nil, Context.new(values)).surroundings if kind == "session"

  OpenStruct.new(values).instance_eval { binding }
end

def answer(request)
  text = File.read(request["path"])
  text = ERB.new(text, trim_mode: "-").result(surroundings(request["kind"], request["values"])) if request["kind"]
  { "value" => request["yaml"] ? YAML.safe_load(text) : text }
rescue StandardError, SyntaxError => e
  { "error" => "#{e.class}: #{e.message}" }
end

puts JSON.generate(JSON.parse($stdin.read).map { |request| answer(request) })
