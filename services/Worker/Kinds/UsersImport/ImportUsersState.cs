using System.Text.Json.Serialization;

namespace Platform.Worker.Kinds.UsersImport;

/// <summary>The checkpoint of an import: everything before <paramref name="Position"/> is done, nothing after it.</summary>
/// <param name="Position">Byte offset of the next record.</param>
/// <param name="Line">Line number there.</param>
/// <param name="Imported">New users so far.</param>
/// <param name="Updated">Existing users that were updated so far.</param>
/// <param name="Skipped">Existing users that were left alone so far.</param>
/// <param name="Rejected">Records in rejected.csv so far.</param>
internal sealed record ImportUsersState(long Position, long Line, long Imported, long Updated, long Skipped, long Rejected)
{
    /// <summary>Records so far.</summary>
    [JsonIgnore]
    public long Rows => Imported + Updated + Skipped + Rejected;
}
