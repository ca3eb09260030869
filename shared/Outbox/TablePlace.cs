using System.Text.RegularExpressions;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Platform.Outbox;

/// <summary>Places our tables where an application wants them: in a schema, and with a prefix to their names.</summary>
internal static partial class TablePlace
{
    /// <summary>The longest prefix. With it, the longest name, which is that of an index, is still valid on both databases.</summary>
    public const int MaxPrefixLength = 20;

    /// <exception cref="ArgumentException">The database has no schemas, or would not accept the names.</exception>
    public static void Check(string? schema, string tablePrefix, bool hasSchemas)
    {
        ArgumentNullException.ThrowIfNull(tablePrefix);
        if (schema is not null && !hasSchemas)
        {
            throw new ArgumentException(
                "MySQL has no schemas within a database: leave the schema out and give a tablePrefix.",
                nameof(schema)
            );
        }

        if (!Prefix().IsMatch(tablePrefix))
        {
            throw new ArgumentException(
                $"A table prefix is at most {MaxPrefixLength} lower-case letters, digits and underscores and begins with a letter; '{tablePrefix}' is not.",
                nameof(tablePrefix)
            );
        }
    }

    /// <summary>Moves the table of an entity there. Without a schema, the table stays in the schema of the model.</summary>
    public static void Move(EntityTypeBuilder entity, string? schema, string tablePrefix)
    {
        var name = tablePrefix + entity.Metadata.GetTableName();
        _ = schema is null ? entity.ToTable(name) : entity.ToTable(name, schema);
    }

    [GeneratedRegex(@"\A(?:[a-z][a-z0-9_]{0,19})?\z", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Prefix();
}
