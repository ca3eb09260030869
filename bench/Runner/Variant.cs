namespace Platform.Runner;

/// <summary>A build of the platform's services, with the database that it uses.</summary>
/// <param name="Name">The suffix of its subjects' names.</param>
/// <param name="Database">The database with the tables of this build.</param>
/// <param name="Api">The folder of the Api's project, or of the published service.</param>
/// <param name="Services">The same for the services that exist only for measurements.</param>
internal sealed record Variant(string Name, Database Database, string Api, string Services);
