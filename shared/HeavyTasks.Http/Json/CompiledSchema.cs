using System.Text.Json;
using System.Text.RegularExpressions;

namespace Platform.HeavyTasks.Http;

/// <summary>
/// A JSON schema made ready to check parameters. It understands what <see cref="ParameterSchema"/> writes. Nothing is fetched: a reference
/// points into the schema itself.
/// </summary>
internal sealed class CompiledSchema
{
    /// <summary>The longest schema that is compiled: 256 Ki characters.</summary>
    internal const int MaxLength = 256 * 1024;

    private static readonly TimeSpan PatternTimeout = TimeSpan.FromMilliseconds(100);

    // To overlook one of these would accept what the worker meant to refuse. Words that no standard has are notes.
    private static readonly HashSet<string> NotUnderstood =
    [
        "$anchor",
        "$dynamicAnchor",
        "$dynamicRef",
        "$id",
        "$recursiveRef",
        "$vocabulary",
        "additionalItems",
        "allOf",
        "contains",
        "dependencies",
        "dependentRequired",
        "dependentSchemas",
        "else",
        "if",
        "maxContains",
        "maxProperties",
        "minContains",
        "minProperties",
        "multipleOf",
        "not",
        "oneOf",
        "patternProperties",
        "prefixItems",
        "propertyNames",
        "then",
        "unevaluatedItems",
        "unevaluatedProperties",
        "uniqueItems",
    ];

    private readonly SchemaNode root;

    private CompiledSchema(SchemaNode root) => this.root = root;

    /// <summary>Compiles a schema.</summary>
    /// <exception cref="JsonException">It is no schema, or one that is not understood.</exception>
    public static CompiledSchema Compile(string schema)
    {
        if (schema.Length > MaxLength)
        {
            throw new JsonException($"It is longer than {MaxLength:N0} characters.");
        }

        var compiler = new Compiler(JsonElement.Parse(schema));
        var root = compiler.Compile("");
        compiler.CheckReferences();
        return new CompiledSchema(root);
    }

    /// <summary>Checks parameters, and returns them as they are stored; null when something was added to <paramref name="errors"/>.</summary>
    /// <param name="written">What the client sent, as <see cref="RequestJson.ReadAsync"/> returned it.</param>
    /// <param name="path">Its name in the request.</param>
    /// <param name="errors">Receives what is wrong.</param>
    public string? Read(JsonElement written, string path, FieldErrors errors) => SchemaReader.Read(written, root, path, errors);

    private sealed class Compiler(JsonElement document)
    {
        private readonly Dictionary<string, SchemaNode> nodes = new(StringComparer.Ordinal);

        /// <summary>The schema at a JSON pointer. One that is under way is returned as it is, so that a schema may contain itself.</summary>
        public SchemaNode Compile(string pointer)
        {
            if (nodes.TryGetValue(pointer, out var known))
            {
                return known;
            }

            var schema = Find(pointer);
            if (schema.ValueKind is JsonValueKind.True or JsonValueKind.False)
            {
                return nodes[pointer] = schema.ValueKind == JsonValueKind.True ? new SchemaNode() : SchemaNode.Never;
            }

            if (schema.ValueKind != JsonValueKind.Object)
            {
                throw Broken(pointer, "is no schema");
            }

            var node = nodes[pointer] = new SchemaNode();
            foreach (var keyword in schema.EnumerateObject())
            {
                Read(node, keyword, pointer);
            }

            return node;
        }

        /// <summary>Refuses a schema that leads back to itself without a step into the value: to follow it would never end.</summary>
        public void CheckReferences()
        {
            var done = new HashSet<SchemaNode>();
            foreach (var node in nodes.Values)
            {
                Follow(node, [], done);
            }
        }

        private static void Follow(SchemaNode node, HashSet<SchemaNode> above, HashSet<SchemaNode> done)
        {
            if (done.Contains(node))
            {
                return;
            }

            if (!above.Add(node) || above.Count > 64)
            {
                throw new JsonException("A reference leads back to itself.");
            }

            foreach (var next in node.Other is { } other ? node.AnyOf.Append(other) : node.AnyOf)
            {
                Follow(next, above, done);
            }

            above.Remove(node);
            done.Add(node);
        }

        private void Read(SchemaNode node, JsonProperty keyword, string pointer)
        {
            var (value, here) = (keyword.Value, $"{pointer}/{Escape(keyword.Name)}");
            switch (keyword.Name)
            {
                case "$ref":
                    node.Other = Compile(Target(Text(value, here), here));
                    break;
                case "type":
                    node.Types =
                        value.ValueKind == JsonValueKind.Array
                            ? Items(value, here).Aggregate(JsonTypes.None, (all, t) => all | TypeOf(t, here))
                            : TypeOf(value, here);
                    break;
                case "properties":
                    foreach (var member in Members(value, here))
                    {
                        var schema = Compile($"{here}/{Escape(member.Name)}");
                        if (!node.Members.TryAdd(member.Name, new SchemaMember(member.Name, node.Members.Count, schema)))
                        {
                            throw Broken(here, $"has {member.Name} twice");
                        }
                    }

                    break;
                case "required":
                    node.Required.AddRange(Items(value, here).Select(name => Text(name, here)));
                    break;
                case "additionalProperties":
                    node.Others = Compile(here);
                    break;
                case "items":
                    node.Items = Compile(here);
                    break;
                case "anyOf":
                    node.AnyOf.AddRange(Items(value, here).Select((_, index) => Compile($"{here}/{index}")));
                    break;
                case "enum":
                    node.Values = [.. Items(value, here)];
                    break;
                case "const":
                    node.Values = [value];
                    break;
                case "format":
                    node.Format = Text(value, here);
                    break;
                case "pattern":
                    node.Pattern = Pattern(Text(value, here), here);
                    break;
                case "minLength":
                    node.MinLength = Count(value, here);
                    break;
                case "maxLength":
                    node.MaxLength = Count(value, here);
                    break;
                case "minItems":
                    node.MinItems = Count(value, here);
                    break;
                case "maxItems":
                    node.MaxItems = Count(value, here);
                    break;
                case "minimum" or "exclusiveMinimum":
                    node.Min = Limit(value, keyword.Name[0] == 'e', here);
                    break;
                case "maximum" or "exclusiveMaximum":
                    node.Max = Limit(value, keyword.Name[0] == 'e', here);
                    break;
                case var name when NotUnderstood.Contains(name):
                    throw Broken(here, "is not understood");
            }
        }

        private JsonElement Find(string pointer)
        {
            var found = document;
            foreach (var step in pointer.Split('/').Skip(1).Select(Unescape))
            {
                found = found.ValueKind switch
                {
                    JsonValueKind.Object when found.TryGetProperty(step, out var member) => member,
                    JsonValueKind.Array when int.TryParse(step, out var index) && index >= 0 && index < found.GetArrayLength() => found[
                        index
                    ],
                    _ => throw Broken(pointer, "does not exist"),
                };
            }

            return found;
        }

        private static string Target(string reference, string here) =>
            reference == "#" || reference.StartsWith("#/", StringComparison.Ordinal)
                ? Uri.UnescapeDataString(reference[1..])
                : throw Broken(here, "points out of the schema");

        private static Regex Pattern(string pattern, string here)
        {
            try
            {
                // Most patterns can be matched in a time that grows with the text only; the others get a limit.
                return new Regex(pattern, RegexOptions.CultureInvariant | RegexOptions.NonBacktracking, PatternTimeout);
            }
            catch (NotSupportedException)
            {
                return new Regex(pattern, RegexOptions.CultureInvariant, PatternTimeout);
            }
            catch (ArgumentException)
            {
                throw Broken(here, "is no regular expression");
            }
        }

        private static JsonTypes TypeOf(JsonElement name, string here) =>
            Text(name, here) switch
            {
                "null" => JsonTypes.Null,
                "boolean" => JsonTypes.Boolean,
                "integer" => JsonTypes.Integer,
                "number" => JsonTypes.Number,
                "string" => JsonTypes.String,
                "array" => JsonTypes.Array,
                "object" => JsonTypes.Object,
                _ => throw Broken(here, "names no type"),
            };

        private static NumberLimit Limit(JsonElement value, bool isExclusive, string here) =>
            value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number) && double.IsFinite(number)
                ? new NumberLimit(value, isExclusive)
                : throw Broken(here, "is no number");

        private static int Count(JsonElement value, string here) =>
            value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var count) && count >= 0
                ? count
                : throw Broken(here, "is no number of things");

        private static string Text(JsonElement value, string here) =>
            value.ValueKind == JsonValueKind.String ? value.GetString()! : throw Broken(here, "is no text");

        private static JsonElement.ArrayEnumerator Items(JsonElement value, string here) =>
            value.ValueKind == JsonValueKind.Array ? value.EnumerateArray() : throw Broken(here, "is no array");

        private static JsonElement.ObjectEnumerator Members(JsonElement value, string here) =>
            value.ValueKind == JsonValueKind.Object ? value.EnumerateObject() : throw Broken(here, "is no object");

        private static string Escape(string name) =>
            name.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal);

        private static string Unescape(string step) =>
            step.Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal);

        private static JsonException Broken(string pointer, string why) => new($"#{pointer} {why}.");
    }
}
