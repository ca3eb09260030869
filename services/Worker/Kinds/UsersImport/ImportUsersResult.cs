namespace Platform.Worker.Kinds.UsersImport;

/// <summary>What an import did. The rows are the sum of the others.</summary>
/// <param name="Rows">Records of the file, without the header and empty lines.</param>
/// <param name="Imported">New users.</param>
/// <param name="Updated">Rows whose user existed and is now as in the row.</param>
/// <param name="Skipped">Rows whose user existed and was left alone.</param>
/// <param name="Rejected">Rows in rejected.csv.</param>
internal sealed record ImportUsersResult(long Rows, long Imported, long Updated, long Skipped, long Rejected);
