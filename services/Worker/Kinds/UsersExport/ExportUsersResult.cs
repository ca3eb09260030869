namespace Platform.Worker.Kinds.UsersExport;

/// <summary>What an export did.</summary>
/// <param name="Rows">Users in the file.</param>
internal sealed record ExportUsersResult(long Rows);
