namespace Platform.HeavyTasks.Http;

/// <summary>Thrown when the work did not reach the database in the time allowed; none of it was done.</summary>
internal sealed class DatabaseBusyException(string message) : Exception(message);
