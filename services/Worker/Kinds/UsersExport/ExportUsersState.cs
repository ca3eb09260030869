namespace Platform.Worker.Kinds.UsersExport;

/// <summary>The checkpoint of an export.</summary>
/// <param name="LastId">The last user that is in the file.</param>
/// <param name="EndId">The last user there was when the export began; later ones are not exported, so that it ends.</param>
/// <param name="Rows">Users in the file.</param>
internal sealed record ExportUsersState(long LastId, long EndId, long Rows);
