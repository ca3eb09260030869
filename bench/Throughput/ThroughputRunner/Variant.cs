namespace Platform.ThroughputRunner;

/// <summary>A build of the platform's services, and the database that it works on.</summary>
/// <param name="Name">What its subjects' names end with.</param>
/// <param name="Database">With the tables of this build.</param>
/// <param name="Api">Folder of the project, or of the published service.</param>
/// <param name="OutboxService">The same.</param>
internal sealed record Variant(string Name, Database Database, string Api, string OutboxService);
