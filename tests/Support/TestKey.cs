using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;

namespace Platform.Support;

/// <summary>The key of an administrator that every test database has, and the clients of tests send.</summary>
public static class TestKey
{
    private const string Id = "0123456789abcdef";
    private static readonly string Secret = new('5', 64);

    /// <summary>The key.</summary>
    public static string Value => $"platform_{Id}_{Secret}";

    /// <summary>The header with the key.</summary>
    public static AuthenticationHeaderValue Header => new("Bearer", Value);

    /// <summary>Adds the key to a database. The time is far back, because the clock of the server may be behind.</summary>
    internal static string Insert(string hexLiteral) =>
        $"""
            INSERT INTO api_keys (id, name, secret_hash, roles, tenant_id, created_at)
            VALUES ('{Id}', 'tests', {string.Format(
                null,
                hexLiteral,
                Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Secret)))
            )}, 'admin', '', '2020-01-01 00:00:00')
            """;

    /// <summary>Sends the key with each request of the client.</summary>
    public static HttpClient WithTestKey(this HttpClient client)
    {
        ArgumentNullException.ThrowIfNull(client);
        client.DefaultRequestHeaders.Authorization = Header;
        return client;
    }
}
