using System.Text.RegularExpressions;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;

namespace Platform.Outbox;

/// <summary>
/// Names the columns, keys and indexes of an entity in snake_case, so that SQL typed by hand needs no quotes. The names are fixed, whatever
/// the convention of the context that the entity is added to.
/// </summary>
internal static partial class SnakeCaseNames
{
    public static void Apply(IMutableEntityType entity)
    {
        foreach (var property in entity.GetProperties())
        {
            property.SetColumnName(WordStart().Replace(property.Name, "_").ToLowerInvariant());
        }

        var table = entity.GetTableName();
        foreach (var key in entity.GetKeys())
        {
            key.SetName($"pk_{table}");
        }

        foreach (var key in entity.GetForeignKeys())
        {
            key.SetConstraintName($"fk_{table}_{string.Join('_', key.Properties.Select(p => p.GetColumnName()))}");
        }

        foreach (var index in entity.GetIndexes())
        {
            index.SetDatabaseName($"ix_{table}_{string.Join('_', index.Properties.Select(p => p.GetColumnName()))}");
        }
    }

    [GeneratedRegex("(?<=[a-z0-9])(?=[A-Z])", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex WordStart();
}
