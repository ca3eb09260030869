namespace Platform.Cli.Api;

/// <summary>A file as <c>POST /files</c> stored it.</summary>
/// <param name="Id">The id that parameters refer to.</param>
/// <param name="Name">The file name.</param>
/// <param name="Length">The number of bytes.</param>
/// <param name="Sha256">The SHA-256 in hexadecimal.</param>
internal sealed record UploadedFile(Guid Id, string? Name, long Length, string? Sha256);
