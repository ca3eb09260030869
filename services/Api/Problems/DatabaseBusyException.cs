namespace Platform.Api.Problems;

/// <summary>The work did not come to the database in the time allowed, and nothing of it was done.</summary>
internal sealed class DatabaseBusyException(string message) : Exception(message);
