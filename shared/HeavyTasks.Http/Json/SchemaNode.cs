using System.Text.Json;
using System.Text.RegularExpressions;

namespace Platform.HeavyTasks.Http;

/// <summary>The types of JSON; a whole number is of both number types.</summary>
[Flags]
internal enum JsonTypes
{
    None = 0,
    Null = 1,
    Boolean = 2,
    Integer = 4,
    Number = 8,
    String = 16,
    Array = 32,
    Object = 64,
    Any = Null | Boolean | Integer | Number | String | Array | Object,
}

/// <summary>A member that a schema names: the name, its place among the others, and the schema of its value.</summary>
internal sealed record SchemaMember(string Name, int Order, SchemaNode Schema);

/// <summary>One schema within a compiled one. What a schema does not say is not checked.</summary>
internal sealed class SchemaNode
{
    /// <summary>Accepts nothing.</summary>
    public static readonly SchemaNode Never = new() { Types = JsonTypes.None };

    public JsonTypes Types { get; set; } = JsonTypes.Any;

    /// <summary>The schema that holds instead of this one (<c>$ref</c>).</summary>
    public SchemaNode? Other { get; set; }

    /// <summary>Schemas of which one must accept the value, too; empty for none.</summary>
    public List<SchemaNode> AnyOf { get; } = [];

    /// <summary>Members by name. Readers of records take names in any case, so this does, too.</summary>
    public Dictionary<string, SchemaMember> Members { get; } = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Names of members that must be there.</summary>
    public List<string> Required { get; } = [];

    /// <summary>The schema of all other members; null accepts any.</summary>
    public SchemaNode? Others { get; set; }

    /// <summary>The schema of items; null accepts any.</summary>
    public SchemaNode? Items { get; set; }

    public int MinItems { get; set; }

    public int MaxItems { get; set; } = int.MaxValue;

    public int MinLength { get; set; }

    public int MaxLength { get; set; } = int.MaxValue;

    public Regex? Pattern { get; set; }

    public string? Format { get; set; }

    public NumberLimit? Min { get; set; }

    public NumberLimit? Max { get; set; }

    /// <summary>The values that are accepted; null for any.</summary>
    public List<JsonElement>? Values { get; set; }
}

/// <summary>A limit of numbers.</summary>
internal sealed record NumberLimit(JsonElement Value, bool IsExclusive)
{
    /// <summary>Whether a number is on the right side: 1 for above this limit, -1 for below.</summary>
    public bool Allows(JsonElement number, int side)
    {
        var order =
            number.TryGetDecimal(out var exact) && Value.TryGetDecimal(out var limit)
                ? exact.CompareTo(limit)
                : number.GetDouble().CompareTo(Value.GetDouble());
        return order == 0 ? !IsExclusive : order * side > 0;
    }
}
