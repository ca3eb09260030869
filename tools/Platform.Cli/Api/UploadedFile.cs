namespace Platform.Cli.Api;

/// <summary>A file as <c>POST /files</c> stored it.</summary>
/// <param name="Id">What parameters refer to.</param>
/// <param name="Name">Its name.</param>
/// <param name="Length">Bytes.</param>
/// <param name="Sha256">Hexadecimal.</param>
internal sealed record UploadedFile(Guid Id, string? Name, long Length, string? Sha256);
